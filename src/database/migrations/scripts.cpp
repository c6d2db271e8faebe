#include "database/migrations/scripts.hpp"

#include <fmt/format.h>

#include <regex>

#include "database/errors.hpp"
#include "database/schema/sql_text.hpp"
#include "log.hpp"

namespace call_service::db {

namespace {

const Statement& find_dangling() {
  static const Statement statement{
      .name = "foreign_key_check",
      .sql = "SELECT \"table\", parent FROM pragma_foreign_key_check GROUP BY \"table\", parent",
      .output = {Type::text, Type::text}};
  return statement;
}

const Statement& find_invalid_index() {
  static const Statement statement{
      .name = "find_invalid_index",
      .input = {{"schema_name", Type::text}, {"index_name", Type::text}},
      .sql =
          "SELECT c.relname::text FROM input i JOIN pg_catalog.pg_namespace n ON n.nspname = i.schema_name"
          " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = i.index_name"
          " JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid AND NOT x.indisvalid",
      .output = {Type::text}};
  return statement;
}

// Whatever the migration did, the connection is as before.
struct ForeignKeysOff {
  Connection& connection;
  explicit ForeignKeysOff(Connection& affected) : connection(affected) {
    connection.execute_script("PRAGMA foreign_keys = OFF");
  }
  ~ForeignKeysOff() {
    try {
      connection.execute_script("PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON");
    } catch (const std::exception& error) {
      log::warning("foreign_keys_stay_off", {{"error", error.what()}});
    }
  }
  ForeignKeysOff(const ForeignKeysOff&) = delete;
  ForeignKeysOff& operator=(const ForeignKeysOff&) = delete;
};

// The name that a CREATE INDEX CONCURRENTLY gives; empty for any other statement.
std::string concurrent_index(const std::string& statement) {
  static const std::regex create("create (?:unique )?index concurrently (?:if not exists )?([^ ]+) on .*");
  const auto plain = normalised_sql(statement);
  std::smatch found;
  return std::regex_match(plain, found, create) ? found[1].str() : "";
}

}  // namespace

void run_on_sqlite(Connection& connection, const std::string& sql) {
  const ForeignKeysOff off(connection);
  connection.execute_script("BEGIN IMMEDIATE;\n" + connection.dialect().expand(sql));
  const auto dangling = connection.query(find_dangling(), {});
  if (dangling.empty()) return connection.execute_script("COMMIT");
  connection.execute_script("ROLLBACK");
  throw StatementFailed(
      fmt::format("rows of {} would refer to rows that {} does not have", std::get<std::string>(dangling.front()[0]),
                  std::get<std::string>(dangling.front()[1])),
      "foreign_key");
}

std::vector<std::string> statements_to_run(Connection& connection, const MigrationScript& script) {
  std::vector<std::string> ready;
  const auto& dialect = connection.dialect();
  for (const auto& statement : split_statements(script.sql)) {
    const auto index = concurrent_index(statement);
    if (!index.empty() && !connection.query(find_invalid_index(), {{dialect.schema(), index}}).empty()) {
      ready.push_back("DROP INDEX CONCURRENTLY " + dialect.qualified(index));
    }
    ready.push_back(dialect.expand(statement));
  }
  return ready;
}

void end_with_client(Connection& connection) {
  if (!connection.keeps_session()) return;
  try {
    connection.execute_script("SET client_connection_check_interval = '1s'");
  } catch (const StatementFailed& error) {  // PostgreSQL before 14, or a system without the means
    log::debug("client_not_watched", {{"error", error.what()}});
  }
}

}  // namespace call_service::db
