#pragma once

#include "database/connection.hpp"
#include "database/schema/table_schema.hpp"

namespace call_service::db {

// All tables and trigger functions of the dialect's schema, from pg_catalog; "pg_temp" is this connection's own. Names
// of ours in triggers and functions stand in braces again.
Schema read_postgres_schema(Connection& connection, const Dialect& dialect);

}  // namespace call_service::db
