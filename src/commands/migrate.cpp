#include <iostream>
#include <optional>

#include "app.hpp"
#include "commands/commands.hpp"
#include "database/engine.hpp"
#include "database/migrations/migrator.hpp"
#include "database/sqlite/file_lock.hpp"
#include "database/url.hpp"

namespace call_service::commands {

namespace {

constexpr Seconds lock_patience{30};

// Opens the database and runs `command` on it.
template <typename Command>
int with_migrator(const Config& config, Command command) {
  const SystemClock clock;
  const auto database = db::open_database(config.database_url, config.database_schema);
  const auto connection = database.connect(db::ConnectionRole::write);
  db::Migrator migrator(*connection, clock);
  return command(migrator);
}

}  // namespace

int migrate_upgrade(const Config& config) {
  std::optional<db::sqlite::FileLock> lock;
  if (const auto path = db::sqlite_path(config.database_url)) {
    lock = db::sqlite::FileLock::acquire(*path, lock_patience);
    if (!lock) {
      std::cerr << "call-service: " << *path << " is in use by a running service; stop it first\n";
      return exit_configuration;
    }
  }
  return with_migrator(config, [](db::Migrator& migrator) {
    if (const auto fault = db::foreign_tables_fault(migrator)) {
      std::cerr << "call-service: " << *fault << "\n";
      return exit_configuration;
    }
    const auto done = migrator.upgrade();
    for (const auto& migration : done) std::cout << "applied " << migration.revision << " " << migration.name << "\n";
    if (done.empty()) std::cout << "nothing to do: the schema is up to date\n";
    return exit_ok;
  });
}

int migrate_current(const Config& config) {
  return with_migrator(config, [](db::Migrator& migrator) {
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
  return with_migrator(config, [](db::Migrator& migrator) {
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
