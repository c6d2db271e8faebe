#pragma once

#include <string_view>
#include <vector>

#include "database/dialect.hpp"

namespace call_service::db {

// One step of the schema: a file NNNN_name.sql beside this header, embedded in the program.
struct Migration {
  std::string_view revision;  // "0001"
  std::string_view name;      // "calls_and_sessions"
  std::string_view upgrade;   // statements, with {table} names as in command.hpp
  std::string_view downgrade;
};

// All of them for one database, oldest first.
std::vector<Migration> migrations(Dialect::Kind kind);

}  // namespace call_service::db
