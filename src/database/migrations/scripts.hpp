#pragma once

#include <string>
#include <vector>

#include "database/connection.hpp"
#include "database/migrations/migrations.hpp"

// How a migration's statements are run, where that takes more than a transaction.
namespace call_service::db {

// In one transaction, with foreign keys off, so that a table can be made anew, and checked before the commit.
void run_on_sqlite(Connection& connection, const std::string& sql);

// The statements of a script that is not transactional, ready to run one by one: before a CREATE INDEX CONCURRENTLY
// the invalid index of that name is dropped that a failed attempt has left.
std::vector<std::string> statements_to_run(Connection& connection, const MigrationScript& script);

// Lets PostgreSQL stop what this connection runs if this process dies meanwhile, where the server can do that.
void end_with_client(Connection& connection);

}  // namespace call_service::db
