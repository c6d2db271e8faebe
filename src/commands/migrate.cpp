#include <filesystem>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

#include "app.hpp"
#include "commands/commands.hpp"
#include "commands/migrate_support.hpp"
#include "database/sqlite/file_lock.hpp"
#include "database/url.hpp"

namespace call_service::commands {

namespace {

constexpr Seconds lock_patience{30};

using Done = db::Migrator::Done;
using Objection = std::function<std::optional<std::string>(db::Migrator&)>;

// For what changes the database: nobody else does meanwhile. An objection is told before anything is touched.
int with_writer(const Config& config, const MigrateOptions& options, const Objection& objection,
                const MigratorCommand& command) {
  if (const auto fault = db::sqlite_file_fault(config.database_url)) return refuse(*fault);
  std::optional<db::sqlite::FileLock> file_lock;
  if (const auto path = db::sqlite_path(config.database_url)) {
    file_lock = db::sqlite::FileLock::acquire(*path, lock_patience);
    if (!file_lock) return refuse(*path + " is in use by a running service; stop it first");
  }
  const auto database = db::open_database(config.database_url, config.database_schema);
  return with_migrator(database, options, [&](db::Connection& connection, db::Migrator& migrator) {
    if (const auto fault = objection(migrator)) return refuse(*fault);
    migrator.lock(database);
    return command(connection, migrator);
  });
}

std::optional<std::string> fault_of(const Done& plan) {
  return plan ? std::nullopt : std::optional(plan.error());
}

int report(std::string_view what, const Done& done) {
  if (!done) return refuse(done.error());
  for (const auto& migration : *done) std::cout << what << " " << migration.revision << " " << migration.name << "\n";
  if (done->empty()) std::cout << "nothing to do: the schema has that revision\n";
  return exit_ok;
}

}  // namespace

int refuse(const std::string& why) {
  std::cerr << "call-service: " << why << "\n";
  return exit_configuration;
}

int with_migrator(const db::Database& database, const MigrateOptions& options, const MigratorCommand& command) {
  const auto kind = database.dialect.kind();
  std::vector<db::Migration> known;
  try {
    known = options.directory ? db::migrations(kind, *options.directory) : db::migrations(kind);
  } catch (const std::runtime_error& error) {
    return refuse(error.what());
  }
  const SystemClock clock;
  const auto connection = database.connect(db::ConnectionRole::write);
  db::Migrator migrator(*connection, clock, std::move(known));
  return command(*connection, migrator);
}

int with_reader(const Config& config, const MigrateOptions& options, const MigratorCommand& command) {
  const auto path = db::sqlite_path(config.database_url);
  const bool is_missing = path && !std::filesystem::exists(*path);
  if (!is_missing) {
    if (const auto fault = db::sqlite_file_fault(config.database_url)) return refuse(*fault);
  }
  const auto url = is_missing ? "sqlite:///:memory:" : config.database_url;
  return with_migrator(db::open_database(url, config.database_schema), options, command);
}

int migrate_upgrade(const Config& config, const MigrateOptions& options) {
  const std::string target = options.target.empty() ? "head" : options.target;
  const auto objection = [&](db::Migrator& migrator) {
    const auto fault = db::unsuitable_database(migrator);
    return fault ? fault : fault_of(migrator.plan_upgrade(target));
  };
  return with_writer(config, options, objection, [&](db::Connection&, db::Migrator& migrator) {
    return report("applied", migrator.upgrade(target));
  });
}

int migrate_downgrade(const Config& config, const MigrateOptions& options) {
  const std::string target = options.target.empty() ? "-1" : options.target;
  const auto objection = [&](db::Migrator& migrator) { return fault_of(migrator.plan_downgrade(target)); };
  return with_writer(config, options, objection, [&](db::Connection&, db::Migrator& migrator) {
    return report("took back", migrator.downgrade(target));
  });
}

int migrate_stamp(const Config& config, const MigrateOptions& options) {
  const auto no_objection = [](db::Migrator&) { return std::optional<std::string>(); };
  return with_writer(config, options, no_objection, [&](db::Connection&, db::Migrator& migrator) {
    const auto stamped = migrator.stamp(options.target);
    if (!stamped) return refuse(stamped.error());
    std::cout << "recorded " << options.target << "; no statement of a migration was run\n";
    return exit_ok;
  });
}

int migrate_current(const Config& config, const MigrateOptions& options) {
  return with_reader(config, options, [](db::Connection&, db::Migrator& migrator) {
    const auto applied = migrator.applied();
    if (applied.empty()) {
      std::cout << "base (no migration applied)\n";
      return exit_ok;
    }
    std::cout << applied.back().revision << " " << applied.back().name;
    if (applied.back().revision > migrator.known().back().revision) {
      std::cout << " (not known to this program)";
    } else if (migrator.missing().empty()) {
      std::cout << " (head)";
    }
    std::cout << "\n";
    return exit_ok;
  });
}

int migrate_history(const Config& config, const MigrateOptions& options) {
  return with_reader(config, options, [](db::Connection&, db::Migrator& migrator) {
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
