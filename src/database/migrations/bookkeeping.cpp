#include "database/migrations/bookkeeping.hpp"

#include <fmt/format.h>

#include "database/errors.hpp"

namespace call_service::db {

namespace {

constexpr std::string_view migration_table = "call_service_migrations";
constexpr std::string_view lease_table = "call_service_migration_lease";
constexpr std::string_view compatibility = "compatible_from";

bool is_postgresql(const Connection& connection) {
  return connection.dialect().kind() == Dialect::Kind::postgresql;
}

const Statement& find_schema() {
  static const Statement statement{.name = "find_schema",
                                   .input = {{"schema_name", Type::text}},
                                   .sql =
                                       "SELECT n.nspname::text FROM input i JOIN pg_catalog.pg_namespace n"
                                       " ON n.nspname = i.schema_name",
                                   .output = {Type::text}};
  return statement;
}

const Statement& find_table(bool postgresql) {
  static const Statement in_postgresql{
      .name = "find_table",
      .input = {{"schema_name", Type::text}, {"table_name", Type::text}},
      .sql =
          "SELECT c.relname::text FROM input i JOIN pg_catalog.pg_namespace n ON n.nspname = i.schema_name"
          " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = i.table_name"
          " AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
      .output = {Type::text}};
  static const Statement in_sqlite{.name = "find_table",
                                   .input = {{"schema_name", Type::text}, {"table_name", Type::text}},
                                   .sql =
                                       "SELECT t.name FROM input i JOIN sqlite_schema t"
                                       " ON t.type IN ('table', 'view') AND t.name = i.table_name COLLATE NOCASE",
                                   .output = {Type::text}};
  return postgresql ? in_postgresql : in_sqlite;
}

const Statement& find_column(bool postgresql) {
  static const Statement in_postgresql{
      .name = "find_column",
      .input = {{"schema_name", Type::text}, {"table_name", Type::text}, {"column_name", Type::text}},
      .sql =
          "SELECT a.attname::text FROM input i JOIN pg_catalog.pg_namespace n ON n.nspname = i.schema_name"
          " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = i.table_name"
          " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = i.column_name"
          " AND NOT a.attisdropped",
      .output = {Type::text}};
  static const Statement in_sqlite{
      .name = "find_column",
      .input = {{"schema_name", Type::text}, {"table_name", Type::text}, {"column_name", Type::text}},
      .sql = "SELECT p.name FROM input i JOIN pragma_table_info(i.table_name) p ON p.name = i.column_name",
      .output = {Type::text}};
  return postgresql ? in_postgresql : in_sqlite;
}

const Statement& list_applied(bool with_compatibility) {
  static const Statement all{.name = "list_applied",
                             .sql =
                                 "SELECT revision, name, applied_at, compatible_from FROM {call_service_migrations}"
                                 " ORDER BY revision",
                             .output = {Type::text, Type::text, Type::timestamp, Type::text}};
  static const Statement without{
      .name = "list_applied",
      .sql = "SELECT revision, name, applied_at, NULL FROM {call_service_migrations} ORDER BY revision",
      .output = {Type::text, Type::text, Type::timestamp, Type::text}};
  return with_compatibility ? all : without;
}

constexpr std::string_view tables_postgresql =
    "CREATE TABLE IF NOT EXISTS {call_service_migrations} (revision text NOT NULL PRIMARY KEY, name text NOT NULL,"
    " applied_at timestamptz NOT NULL); "
    "ALTER TABLE {call_service_migrations} ADD COLUMN IF NOT EXISTS compatible_from text; "
    "CREATE TABLE IF NOT EXISTS {call_service_migration_lease} (id bigint PRIMARY KEY CHECK (id = 1),"
    " owner uuid NOT NULL, until timestamptz NOT NULL); ";
constexpr std::string_view table_sqlite =
    "CREATE TABLE IF NOT EXISTS {call_service_migrations} (revision text NOT NULL PRIMARY KEY, name text NOT NULL,"
    " applied_at text NOT NULL); ";
constexpr std::string_view column_sqlite = "ALTER TABLE {call_service_migrations} ADD COLUMN compatible_from text; ";

}  // namespace

bool Bookkeeping::has_schema() {
  return !connection_.query(find_schema(), {{connection_.dialect().schema()}}).empty();
}

bool Bookkeeping::has_table(std::string_view name) {
  const auto& statement = find_table(is_postgresql(connection_));
  return !connection_.query(statement, {{connection_.dialect().schema(), std::string(name)}}).empty();
}

bool Bookkeeping::has_column(std::string_view name) {
  const Row input{connection_.dialect().schema(), std::string(migration_table), std::string(name)};
  return !connection_.query(find_column(is_postgresql(connection_)), {input}).empty();
}

bool Bookkeeping::is_complete() {
  return has_column(compatibility) && (!is_postgresql(connection_) || has_table(lease_table));
}

// IF NOT EXISTS does not keep two that do it at once from colliding in the catalog; whoever comes second finds it done.
// A role that may not create schemas can use one that is there.
void Bookkeeping::prepare() {
  for (int attempt = 0; !is_complete(); ++attempt) {
    std::string sql = "BEGIN; ";
    if (is_postgresql(connection_)) {
      if (!has_schema()) sql += "CREATE SCHEMA IF NOT EXISTS {schema}; ";
      sql += tables_postgresql;
    } else {
      sql.append(table_sqlite).append(column_sqlite);
    }
    try {
      connection_.execute_script(connection_.dialect().expand(sql + "COMMIT;"));
    } catch (const StatementFailed&) {
      if (attempt == 5) throw;
    }
  }
}

std::vector<AppliedMigration> Bookkeeping::applied() {
  std::vector<AppliedMigration> all;
  if (!has_table(migration_table)) return all;
  for (const auto& row : connection_.query(list_applied(has_column(compatibility)), {})) {
    const auto* from = std::get_if<std::string>(&row[3]);
    all.push_back({.revision = std::get<std::string>(row[0]),
                   .name = std::get<std::string>(row[1]),
                   .applied_at = std::get<Timestamp>(row[2]),
                   .compatible_from = from != nullptr ? std::optional(*from) : std::nullopt});
  }
  return all;
}

// Revisions and names hold digits, letters and underscores only: that is what file names of migrations are made of.
std::string Bookkeeping::record(const Migration& migration, Timestamp now) {
  return fmt::format(
      "INSERT INTO {{call_service_migrations}} (revision, name, applied_at, compatible_from)"
      " VALUES ('{}', '{}', '{}', '{}');\n",
      migration.revision, migration.name, format_timestamp(now), migration.compatible_from);
}

std::string Bookkeeping::erase(std::string_view revision) {
  return fmt::format("DELETE FROM {{call_service_migrations}} WHERE revision = '{}';\n", revision);
}

}  // namespace call_service::db
