#include "database/migrations/migrator.hpp"

#include <algorithm>
#include <charconv>

#include "base/ranges.hpp"
#include "database/errors.hpp"
#include "log.hpp"

namespace call_service::db {

namespace {

constexpr std::string_view migration_table = "call_service_migrations";
constexpr std::string_view our_tables[] = {"users", "calls", "call_users", "sessions", "webhook_events", "outbox"};

const Statement& find_table(Dialect::Kind kind) {
  static const Statement postgresql{.name = "find_table",
                                    .input = {{"schema_name", Type::text}, {"table_name", Type::text}},
                                    .sql =
                                        "SELECT c.relname::text FROM input i "
                                        "JOIN pg_catalog.pg_namespace n ON n.nspname = i.schema_name "
                                        "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid "
                                        "AND c.relname = i.table_name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
                                    .output = {Type::text}};
  static const Statement sqlite{.name = "find_table",
                                .input = {{"schema_name", Type::text}, {"table_name", Type::text}},
                                .sql =
                                    "SELECT t.name FROM input i JOIN sqlite_schema t "
                                    "ON t.type IN ('table', 'view') AND t.name = i.table_name COLLATE NOCASE",
                                .output = {Type::text}};
  return kind == Dialect::Kind::postgresql ? postgresql : sqlite;
}

const Statement& list_applied() {
  static const Statement statement{
      .name = "list_applied",
      .input = {},
      .sql = "SELECT revision, name, applied_at FROM {call_service_migrations} ORDER BY revision",
      .output = {Type::text, Type::text, Type::timestamp}};
  return statement;
}

}  // namespace

std::optional<UpgradeTarget> UpgradeTarget::parse(std::string_view text, std::span<const Migration> known) {
  if (text == "head") return UpgradeTarget{};
  if (text.starts_with('+')) {
    const char* end = text.data() + text.size();
    UpgradeTarget target;
    const auto read = std::from_chars(text.data() + 1, end, target.steps);
    if (read.ec != std::errc{} || read.ptr != end || target.steps == 0) return std::nullopt;
    return target;
  }
  if (!contains(known, text, &Migration::revision)) return std::nullopt;
  return UpgradeTarget{.last = std::string(text)};
}

Migrator::Migrator(Connection& connection, const Clock& clock) : connection_(connection), clock_(clock) {
  connection_.open();
}

bool Migrator::has_table(const std::string& name) {
  const Dialect& dialect = connection_.dialect();
  return !connection_.query(find_table(dialect.kind()), {{dialect.schema(), name}}).empty();
}

std::vector<Migrator::Applied> Migrator::applied() {
  std::vector<Applied> all;
  if (!has_table(std::string(migration_table))) return all;
  for (const auto& row : connection_.query(list_applied(), {})) {
    all.push_back({std::get<std::string>(row[0]), std::get<std::string>(row[1]), std::get<Timestamp>(row[2])});
  }
  return all;
}

std::vector<Migration> Migrator::missing() {
  const auto done = applied();
  auto all = migrations(connection_.dialect().kind());
  std::erase_if(all,
                [&](const Migration& migration) { return contains(done, migration.revision, &Applied::revision); });
  return all;
}

std::size_t Migrator::unknown() {
  const auto known = migrations(connection_.dialect().kind());
  return static_cast<std::size_t>(std::ranges::count_if(
      applied(), [&](const Applied& done) { return !contains(known, done.revision, &Migration::revision); }));
}

// The tables first: another process may be at it, and its tables and its record appear together.
std::vector<std::string> Migrator::foreign_tables() {
  std::vector<std::string> found;
  for (const auto table : our_tables) {
    if (has_table(std::string(table))) found.emplace_back(table);
  }
  if (!found.empty() && !applied().empty()) found.clear();
  return found;
}

// IF NOT EXISTS does not keep two that do it at once from colliding in the catalog; whoever comes second finds it done.
void Migrator::make_table() {
  const Dialect& dialect = connection_.dialect();
  const bool postgresql = dialect.kind() == Dialect::Kind::postgresql;
  const std::string schema = postgresql ? "CREATE SCHEMA IF NOT EXISTS {schema};" : "";
  const std::string time = postgresql ? "timestamptz" : "text";
  const std::string sql =
      dialect.expand("BEGIN; " + schema +
                     " CREATE TABLE IF NOT EXISTS {call_service_migrations} (revision text NOT NULL PRIMARY KEY, "
                     "name text NOT NULL, applied_at " +
                     time + " NOT NULL); COMMIT;");
  for (int attempt = 0; !has_table(std::string(migration_table)); ++attempt) {
    try {
      connection_.execute_script(sql);
    } catch (const StatementFailed&) {
      if (attempt == 5) throw;
    }
  }
}

// False: another process has applied it meanwhile.
bool Migrator::apply(const Migration& migration) {
  const Dialect& dialect = connection_.dialect();
  const std::string begin = dialect.kind() == Dialect::Kind::postgresql ? "BEGIN; " : "BEGIN IMMEDIATE; ";
  const std::string record = "INSERT INTO {call_service_migrations} (revision, name, applied_at) VALUES ('" +
                             std::string(migration.revision) + "', '" + std::string(migration.name) + "', '" +
                             format_timestamp(clock_.now()) + "'); ";
  try {
    connection_.execute_script(begin + dialect.expand(record) + dialect.expand(migration.upgrade) + " COMMIT;");
    return true;
  } catch (const StatementFailed&) {
    const auto done = applied();
    if (!contains(done, migration.revision, &Applied::revision)) throw;
    return false;
  }
}

std::vector<Migration> Migrator::upgrade(UpgradeTarget target) {
  make_table();
  std::vector<Migration> done;
  for (const auto& migration : missing()) {
    if (migration.revision > target.last || target.steps-- == 0) break;
    if (!apply(migration)) continue;
    log::info("migration_applied", {{"revision", migration.revision}, {"name", migration.name}});
    done.push_back(migration);
  }
  return done;
}

std::optional<std::string> foreign_tables_fault(Migrator& migrator) {
  std::string names;
  for (const auto& table : migrator.foreign_tables()) names += (names.empty() ? "" : ", ") + table;
  if (names.empty()) return std::nullopt;
  return "The database has tables with our names that this program did not make: " + names +
         ". Nothing was changed. Use another database, or set DATABASE_SCHEMA to a schema of its own.";
}

std::optional<std::string> schema_fault(Migrator& migrator) {
  const auto missing = migrator.missing();
  if (!missing.empty()) {
    return "The database's schema is not up to date (revision " + std::string(missing.front().revision) +
           " is missing). Run: call-service migrate upgrade";
  }
  // Every migration leaves a schema on which the release before it works; further apart nothing is promised.
  if (migrator.unknown() > 1)
    return std::string("The database's schema is newer than this program. Run a newer release.");
  return std::nullopt;
}

}  // namespace call_service::db
