#include <filesystem>
#include <iostream>
#include <optional>
#include <span>
#include <string>

#include "app.hpp"
#include "commands/commands.hpp"
#include "database/engine.hpp"
#include "database/migrations/migrator.hpp"
#include "database/sqlite/file_lock.hpp"
#include "database/url.hpp"

namespace call_service::commands {

namespace {

constexpr Seconds lock_patience{30};

// Opens a database and runs `command` on it.
template <typename Command>
int with_migrator(const db::Database& database, db::ConnectionRole role, Command command) {
  const SystemClock clock;
  const auto connection = database.connect(role);
  db::Migrator migrator(*connection, clock);
  return command(migrator);
}

// For what only reads. A SQLite file that is not there is not made: an empty database in memory stands for it.
template <typename Command>
int with_reader(const Config& config, Command command) {
  const auto path = db::sqlite_path(config.database_url);
  const bool is_missing = path && !std::filesystem::exists(*path);
  const auto url = is_missing ? "sqlite:///:memory:" : config.database_url;
  return with_migrator(db::open_database(url, config.database_schema), db::ConnectionRole::read, command);
}

int refuse(const std::string& why) {
  std::cerr << "call-service: " << why << "\n";
  return exit_configuration;
}

std::string no_such_target(const std::string& target, std::span<const db::Migration> known) {
  std::string text = "there is no revision " + target + " to upgrade to; known are head, +N (N at least 1)";
  for (const auto& migration : known) text.append(", ").append(migration.revision);
  return text;
}

int upgrade(db::Migrator& migrator, const db::UpgradeTarget& target) {
  if (const auto fault = db::foreign_tables_fault(migrator)) return refuse(*fault);
  const auto done = migrator.upgrade(target);
  for (const auto& migration : done) std::cout << "applied " << migration.revision << " " << migration.name << "\n";
  if (done.empty()) std::cout << "nothing to do: the schema has that revision\n";
  return exit_ok;
}

}  // namespace

int migrate_upgrade(const Config& config, const std::string& target) {
  const auto database = db::open_database(config.database_url, config.database_schema);
  const auto known = db::migrations(database.dialect.kind());
  const auto goal = db::UpgradeTarget::parse(target, known);
  if (!goal) return refuse(no_such_target(target, known));
  std::optional<db::sqlite::FileLock> lock;
  if (const auto path = db::sqlite_path(config.database_url)) {
    lock = db::sqlite::FileLock::acquire(*path, lock_patience);
    if (!lock) return refuse(*path + " is in use by a running service; stop it first");
  }
  return with_migrator(database, db::ConnectionRole::write,
                       [&](db::Migrator& migrator) { return upgrade(migrator, *goal); });
}

int migrate_current(const Config& config) {
  return with_reader(config, [](db::Migrator& migrator) {
    const auto applied = migrator.applied();
    if (applied.empty()) {
      std::cout << "base (no migration applied)\n";
    } else {
      std::cout << applied.back().revision << " " << applied.back().name
                << (migrator.missing().empty() ? " (head)" : "") << "\n";
    }
    return exit_ok;
  });
}

int migrate_history(const Config& config) {
  return with_reader(config, [](db::Migrator& migrator) {
    for (const auto& done : migrator.applied()) {
      std::cout << done.revision << " " << done.name << " applied " << format_timestamp(done.applied_at) << "\n";
    }
    for (const auto& migration : migrator.missing()) {
      std::cout << migration.revision << " " << migration.name << " not applied\n";
    }
    return exit_ok;
  });
}

}  // namespace call_service::commands
