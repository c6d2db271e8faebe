#pragma once

#include "database/connection.hpp"
#include "database/schema/table_schema.hpp"

namespace call_service::db {

// All tables of a SQLite database, from its pragmas and, for checks and expressions, its CREATE statements.
Schema read_sqlite_schema(Connection& connection);

}  // namespace call_service::db
