#pragma once

#include <functional>
#include <string>

#include "commands/commands.hpp"
#include "database/engine.hpp"
#include "database/migrations/migrator.hpp"

namespace call_service::commands {

// Tells why on standard error; the exit status for it.
int refuse(const std::string& why);

using MigratorCommand = std::function<int(db::Connection& connection, db::Migrator& migrator)>;

// Opens a database and runs `command` with the migrations of the program and of `options.directory`.
int with_migrator(const db::Database& database, const MigrateOptions& options, const MigratorCommand& command);

// For what only reads. A SQLite file that is not there is not made: an empty database in memory stands for it.
int with_reader(const Config& config, const MigrateOptions& options, const MigratorCommand& command);

}  // namespace call_service::commands
