#pragma once

#include <string>
#include <string_view>

#include "database/schema/table_schema.hpp"

// A schema's parts as statements, each with its ';' and end of line, tables' names in braces.
namespace call_service::db {

// name type NOT NULL DEFAULT …
std::string column_definition(const ColumnSchema& column, Dialect::Kind kind);
// CONSTRAINT name …
std::string constraint_definition(const CheckSchema& check, Dialect::Kind kind);
std::string constraint_definition(const UniqueSchema& unique, Dialect::Kind kind);
std::string constraint_definition(const ForeignKeySchema& key, Dialect::Kind kind);

// The table with its constraints, under another name if one is given; without indexes and triggers.
std::string create_table(const TableSchema& table, Dialect::Kind kind, std::string_view as = {});
std::string create_index(const TableSchema& table, const IndexSchema& index, Dialect::Kind kind);
std::string create_trigger(const TriggerSchema& trigger, Dialect::Kind kind);
std::string create_function(const FunctionSchema& function);

// For dropping what is not a table's: {name}, or its schema and name where that is an odd one.
std::string in_its_schema(const std::string& name);

// Everything, in an order that works.
std::string create_statements(const Schema& schema, Dialect::Kind kind);

// A line before what was read from the other database, else nothing.
std::string guess_note(const Sql& sql, Dialect::Kind kind);

}  // namespace call_service::db
