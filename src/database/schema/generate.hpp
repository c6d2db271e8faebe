#pragma once

#include <string>

#include "database/schema/difference.hpp"

namespace call_service::db {

// The statements that make the schema `before` into `after`, tables' names in braces, for a person to read and edit: a
// line that begins with "-- EDIT" asks for a decision. What cannot be decided without knowing the data fails as long as
// nobody decides it, and never guesses: a new required column without a default is refused by a table with rows.
std::string migration_statements(const Schema& before, const Schema& after, Dialect::Kind kind);

// Its two halves.
std::string postgres_statements(const SchemaChange& change);
std::string sqlite_statements(const SchemaChange& change);

// A comment where a column goes and another comes: it may have been renamed.
std::string rename_note(const TableChange& change);

}  // namespace call_service::db
