#include "database/migrations/migrator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/ranges.hpp"
#include "database/errors.hpp"
#include "database/migrations/scripts.hpp"
#include "log.hpp"

namespace call_service::db {

namespace {

// Whoever wants a table waits behind a migration that waits for it, so that is done for moments, and again and again:
// a service that works on the table is held up no longer than that.
constexpr std::string_view lock_timeout = "SET LOCAL lock_timeout = '1s';\n";
constexpr Seconds pause_for_others{3};
constexpr std::chrono::minutes lock_patience{10};

// The N of "+N" or "-N", at least 1.
std::optional<std::size_t> steps_of(std::string_view text, char sign) {
  if (!text.starts_with(sign)) return std::nullopt;
  const std::string digits(text.substr(1));
  std::size_t steps = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, steps);
  if (read.ec != std::errc{} || read.ptr != end || steps == 0) return std::nullopt;
  return steps;
}

}  // namespace

Migrator::Migrator(Connection& connection, const Clock& clock)
    : Migrator(connection, clock, migrations(connection.dialect().kind())) {}

Migrator::Migrator(Connection& connection, const Clock& clock, std::vector<Migration> known)
    : connection_(connection), clock_(clock), known_(std::move(known)), bookkeeping_(connection) {
  connection_.open();
}

std::vector<Migration> Migrator::missing() {
  const auto done = applied();
  auto all = known_;
  std::erase_if(all, [&](const Migration& each) { return contains(done, each.revision, &AppliedMigration::revision); });
  return all;
}

std::vector<AppliedMigration> Migrator::unknown() {
  auto done = applied();
  std::erase_if(done, [&](const AppliedMigration& each) { return knows(each.revision); });
  return done;
}

// The tables first: another process may be at it, and its tables and its record appear together.
std::vector<std::string> Migrator::foreign_tables() {
  std::vector<std::pair<std::string, std::string>> found;  // revision, table
  for (const auto& migration : known_) {
    for (const auto& table : created_tables(migration)) {
      if (bookkeeping_.has_table(table)) found.emplace_back(migration.revision, table);
    }
  }
  std::vector<std::string> foreign;
  const auto done = applied();
  const auto is_done = [&](const auto& revision) { return contains(done, revision, &AppliedMigration::revision); };
  for (const auto& [revision, table] : found) {
    const auto makes_it = [&](const Migration& other) {
      return is_done(other.revision) && contains(created_tables(other), table);
    };
    if (std::ranges::none_of(known_, makes_it) && !contains(foreign, table)) foreign.push_back(table);
  }
  return foreign;
}

// SQL_ASCII, what initdb takes in the C locale, stores what it is given: our UTF-8.
std::optional<std::string> Migrator::foreign_encoding() {
  if (connection_.dialect().kind() == Dialect::Kind::sqlite) return std::nullopt;
  static const Statement statement{
      .name = "show_encoding", .input = {}, .sql = "SELECT current_setting('server_encoding')", .output = {Type::text}};
  const auto encoding = std::get<std::string>(connection_.query(statement, {}).at(0).at(0));
  return encoding == "UTF8" || encoding == "SQL_ASCII" ? std::nullopt : std::optional(encoding);
}

void Migrator::lock(const Database& database) {
  if (connection_.dialect().kind() == Dialect::Kind::sqlite || lease_ != nullptr) return;
  bookkeeping_.prepare();
  lease_ = std::make_unique<MigrationLease>(database.connect(ConnectionRole::write));
  end_with_client(connection_);
}

void Migrator::check_lock() const {
  if (lease_ != nullptr && !lease_->is_held()) {
    throw Unavailable("the migration lease was lost: another process may be migrating; run it again");
  }
}

bool Migrator::knows(std::string_view revision) const {
  return contains(known_, revision, &Migration::revision);
}

bool Migrator::has(std::string_view revision) {
  return contains(applied(), revision, &AppliedMigration::revision);
}

std::string Migrator::known_revisions() const {
  return fmt::format("{}", fmt::join(known_ | std::views::transform(&Migration::revision), ", "));
}

Migrator::Done Migrator::plan_upgrade(std::string_view target) {
  auto plan = missing();
  const auto steps = steps_of(target, '+');
  if (!steps && target != "head" && !knows(target)) {
    return std::unexpected(fmt::format("there is no revision {} to upgrade to; known are head, +N (N at least 1), {}",
                                       target, known_revisions()));
  }
  if (steps && *steps > plan.size()) {
    return std::unexpected(fmt::format("cannot upgrade by {}: only {} of the known revisions ({}) are missing", target,
                                       plan.size(), known_revisions()));
  }
  if (steps) plan.resize(*steps);
  if (!steps && target != "head") {
    std::erase_if(plan, [&](const Migration& each) { return each.revision > target; });
  }
  const auto beyond = unknown();
  if (!plan.empty() && !beyond.empty() && beyond.back().revision > plan.front().revision) {
    return std::unexpected(
        fmt::format("the database has revision {}, which this program does not know, and lacks {}: upgrade it with the "
                    "newer release",
                    beyond.back().revision, plan.front().revision));
  }
  return plan;
}

Migrator::Done Migrator::plan_downgrade(std::string_view target) {
  auto done = applied();
  std::ranges::reverse(done);
  const auto steps = steps_of(target, '-');
  if (steps && *steps > done.size()) {
    return std::unexpected(fmt::format("cannot downgrade by {}: only {} revisions are applied", target, done.size()));
  }
  if (!steps && target != "base" && !contains(done, target, &AppliedMigration::revision)) {
    return std::unexpected(fmt::format("there is no applied revision {} to downgrade to; known are base, -N, {}",
                                       target, known_revisions()));
  }
  std::vector<Migration> plan;
  for (const auto& each : done) {
    if (steps ? plan.size() == *steps : each.revision == target) break;
    const auto migration = std::ranges::find(known_, each.revision, &Migration::revision);
    if (migration == known_.end()) {
      return std::unexpected(fmt::format(
          "the database has revision {} {}, which this program does not know: downgrade with the release that has it",
          each.revision, each.name));
    }
    plan.push_back(*migration);
  }
  return plan;
}

Migrator::Done Migrator::upgrade(std::string_view target) {
  auto plan = plan_upgrade(target);
  if (!plan) return plan;
  bookkeeping_.prepare();
  std::vector<Migration> done;
  for (auto& migration : *plan) {
    try {
      run(migration, migration.upgrade, Bookkeeping::record(migration, clock_.now()));
    } catch (const StatementFailed&) {
      // A process without the lock was faster.
      if (has(migration.revision)) continue;
      throw;
    }
    log::info("migration_applied", {{"revision", migration.revision}, {"name", migration.name}});
    done.push_back(std::move(migration));
  }
  return done;
}

Migrator::Done Migrator::downgrade(std::string_view target) {
  auto plan = plan_downgrade(target);
  if (!plan) return plan;
  for (const auto& migration : *plan) {
    run(migration, migration.downgrade, Bookkeeping::erase(migration.revision));
    log::info("migration_taken_back", {{"revision", migration.revision}, {"name", migration.name}});
  }
  return plan;
}

std::expected<void, std::string> Migrator::stamp(std::string_view target) {
  if (target != "head" && target != "base" && !knows(target)) {
    return std::unexpected(
        fmt::format("there is no revision {} to stamp; known are head, base, {}", target, known_revisions()));
  }
  bookkeeping_.prepare();
  const std::string last = target == "head" ? known_.back().revision : target == "base" ? "" : std::string(target);
  std::string sql;
  for (const auto& each : applied()) {
    if (each.revision > last) sql += Bookkeeping::erase(each.revision);
  }
  for (const auto& each : missing()) {
    if (each.revision <= last) sql += Bookkeeping::record(each, clock_.now());
  }
  run_in_transaction(sql);
  return {};
}

void Migrator::run(const Migration& migration, const MigrationScript& script, const std::string& record) {
  const auto name = migration.revision + "_" + migration.name;
  try {
    if (script.is_transactional) {
      run_in_transaction(record + script.sql);
    } else {
      run_one_by_one(script, record);
    }
  } catch (const StatementFailed& error) {
    const auto left =
        script.is_transactional ? "nothing of it was kept" : "it is not transactional; mend it and run it again";
    throw StatementFailed(fmt::format("migration {} failed, {}: {}", name, left, error.what()), error.sqlstate());
  } catch (const LockTimeout& error) {
    throw LockTimeout(
        fmt::format("migration {} failed, nothing of it was kept: others held a table for {} minutes"
                    " (pg_locks tells who): {}",
                    name, lock_patience.count(), error.what()));
  }
}

void Migrator::run_in_transaction(const std::string& sql) {
  if (connection_.dialect().kind() == Dialect::Kind::sqlite) return run_on_sqlite(connection_, sql);
  // One message: if this process dies, nothing stays open. The line feed ends a last comment.
  const auto script = fmt::format("BEGIN;\n{}{}\nCOMMIT;", lock_timeout, connection_.dialect().expand(sql));
  const auto begun = std::chrono::steady_clock::now();
  while (true) {
    check_lock();
    try {
      return connection_.execute_script(script);
    } catch (const LockTimeout& error) {
      if (std::chrono::steady_clock::now() - begun > lock_patience) throw;
      log::info("migration_waits_for_lock", {{"error", error.what()}});
    }
    std::this_thread::sleep_for(pause_for_others);
  }
}

void Migrator::run_one_by_one(const MigrationScript& script, const std::string& record) {
  check_lock();
  for (const auto& statement : statements_to_run(connection_, script)) connection_.execute_script(statement);
  check_lock();
  connection_.execute_script(connection_.dialect().expand(record));
}

std::optional<std::string> unsuitable_database(Migrator& migrator) {
  if (const auto encoding = migrator.foreign_encoding()) {
    return fmt::format(
        "The database's encoding is {}, which cannot hold every text. Nothing was changed. Make one with ENCODING"
        " 'UTF8' TEMPLATE template0.",
        *encoding);
  }

  const auto names = migrator.foreign_tables();
  if (names.empty()) return std::nullopt;
  return fmt::format(
      "The database has tables with our names that this program did not make: {}. Nothing was changed. Use another"
      " database, or set DATABASE_SCHEMA to a schema of its own.",
      fmt::join(names, ", "));
}

std::optional<std::string> schema_fault(Migrator& migrator) {
  const auto missing = migrator.missing();
  if (!missing.empty()) {
    return "The database's schema is not up to date (revision " + missing.front().revision +
           " is missing). Run: call-service migrate upgrade";
  }
  // Each revision says what it is compatible with. One that does not is so with the release before it only.
  const auto unknown = migrator.unknown();
  const auto& head = migrator.known().back().revision;
  for (const auto& each : unknown) {
    if (each.compatible_from ? *each.compatible_from <= head : unknown.size() == 1) continue;
    return fmt::format(
        "The database's schema is newer than this program: it has revision {}, which works with programs from {} on, "
        "and"
        " this one knows up to {}. Run a newer release, or migrate downgrade with it.",
        each.revision, each.compatible_from.value_or("the one before"), head);
  }
  return std::nullopt;
}

}  // namespace call_service::db
