#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "database/dialect.hpp"

namespace call_service::db {

// One direction of a migration: statements, with {table} names as in command.hpp.
struct MigrationScript {
  std::string sql;
  // False: it has the line `-- not transactional`, for what PostgreSQL refuses in a transaction. Its statements run one
  // by one and must stand being run again after a failure part way.
  bool is_transactional = true;
};

// One step of the schema: a file NNNN_name.sql with the sections `-- upgrade postgresql`, `-- downgrade postgresql`,
// `-- upgrade sqlite` and `-- downgrade sqlite`. Those beside this header are embedded in the program.
struct Migration {
  std::string revision{};  // "0001"
  std::string name{};      // "calls_and_sessions"
  // The oldest revision whose program still works on this schema: that of the line `-- compatible from NNNN` above the
  // sections, else the one before.
  std::string compatible_from{};
  MigrationScript upgrade{};
  MigrationScript downgrade{};
};

// All of the program for one database, oldest first.
std::vector<Migration> migrations(Dialect::Kind kind);

// The same with those of a directory beside them; a revision that is in both is the directory's. Throws
// std::runtime_error, for people, if the directory cannot be read or a file in it is no migration.
std::vector<Migration> migrations(Dialect::Kind kind, const std::string& directory);

// What its upgrade creates: names of tables and functions, as they stand in braces.
std::vector<std::string> created_tables(const Migration& migration);
std::vector<std::string> created_functions(const Migration& migration);

}  // namespace call_service::db
