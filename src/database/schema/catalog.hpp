#pragma once

#include <set>
#include <string>

#include "database/connection.hpp"
#include "database/schema/table_schema.hpp"

namespace call_service::db {

// The names of tables and functions that are looked at; all others are somebody else's.
using Names = std::set<std::string, std::less<>>;

// A schema and a declaration, both in the words of one database's catalog, so that equal things have equal texts.
struct Catalogs {
  Schema live;
  Schema declared;
};

// Reads the database's schema, and what the database would make of `declared`: it is created for real, in PostgreSQL's
// schema for temporary tables and rolled back, or in a SQLite database in memory, and read back. The database is not
// changed. Throws StatementFailed, Unavailable.
Catalogs read_catalogs(Connection& connection, const Schema& declared, const Names& names);

}  // namespace call_service::db
