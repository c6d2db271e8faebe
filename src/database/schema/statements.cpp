#include "database/schema/statements.hpp"

#include <fmt/format.h>

namespace call_service::db {

namespace {

template <typename Part>
void add_constraints(std::string& lines, const std::vector<Part>& parts, Dialect::Kind kind) {
  for (const auto& part : parts) lines += ",\n  " + constraint_definition(part, kind);
}

std::string constraint_name(const std::string& name) {
  return name.empty() ? "" : fmt::format("CONSTRAINT {} ", name);
}

}  // namespace

std::string guess_note(const Sql& sql, Dialect::Kind kind) {
  if (!sql.taken_from || *sql.taken_from == kind) return "";
  return *sql.taken_from == Dialect::Kind::postgresql ? "-- EDIT: the next statement has an expression that was read "
                                                        "from PostgreSQL; SQLite may spell it otherwise.\n"
                                                      : "-- EDIT: the next statement has an expression that was read "
                                                        "from SQLite; PostgreSQL may spell it otherwise.\n";
}

std::string column_definition(const ColumnSchema& column, Dialect::Kind kind) {
  std::string text = column.name + " " + column.type.in(kind);
  if (column.required) text += " NOT NULL";
  if (column.generated) text += " GENERATED ALWAYS AS (" + column.generated->in(kind) + ") STORED";
  if (column.default_value) text += " DEFAULT " + column.default_value->in(kind);
  return text;
}

std::string constraint_definition(const CheckSchema& check, Dialect::Kind kind) {
  return constraint_name(check.name) + "CHECK (" + check.condition.in(kind) + ")";
}

std::string constraint_definition(const UniqueSchema& unique, Dialect::Kind) {
  return constraint_name(unique.name) + "UNIQUE (" + unique.columns + ")";
}

std::string constraint_definition(const ForeignKeySchema& key, Dialect::Kind) {
  std::string text = fmt::format("{}FOREIGN KEY ({}) REFERENCES {{{}}} ({})", constraint_name(key.name), key.columns,
                                 key.table, key.referenced);
  if (key.on_update != "NO ACTION") text += " ON UPDATE " + key.on_update;
  if (key.on_delete != "NO ACTION") text += " ON DELETE " + key.on_delete;
  return text;
}

std::string create_table(const TableSchema& table, Dialect::Kind kind, std::string_view as) {
  std::string notes;
  std::string lines;
  for (const auto& column : table.columns) {
    lines += (lines.empty() ? "  " : ",\n  ") + column_definition(column, kind);
    for (const auto* sql : {&column.default_value, &column.generated}) {
      if (*sql) notes += guess_note(**sql, kind);
    }
  }
  for (const auto& check : table.checks) notes += guess_note(check.condition, kind);
  if (!table.primary_key.empty()) lines += ",\n  PRIMARY KEY (" + table.primary_key + ")";
  add_constraints(lines, table.foreign_keys, kind);
  add_constraints(lines, table.uniques, kind);
  add_constraints(lines, table.checks, kind);
  const bool by_key = kind == Dialect::Kind::sqlite && !table.primary_key.empty();
  return fmt::format("{}CREATE TABLE {{{}}} (\n{}\n){};\n", notes, as.empty() ? table.name : as, lines,
                     by_key ? " WITHOUT ROWID" : "");
}

std::string create_index(const TableSchema& table, const IndexSchema& index, Dialect::Kind kind) {
  std::string text = index.where ? guess_note(*index.where, kind) : "";
  text += fmt::format("CREATE {}INDEX {} ON {{{}}} ({})", index.unique ? "UNIQUE " : "", index.name, table.name,
                      index.columns);
  if (index.where) text += " WHERE " + index.where->in(kind);
  return text + ";\n";
}

std::string in_its_schema(const std::string& name) {
  return name.starts_with('"') ? "{schema}." + name : "{" + name + "}";
}

std::string create_trigger(const TriggerSchema& trigger, Dialect::Kind kind) {
  return guess_note(trigger.create, kind) + trigger.create.in(kind) + ";\n";
}

std::string create_function(const FunctionSchema& function) {
  return fmt::format("CREATE OR REPLACE FUNCTION {{{}}}() RETURNS trigger LANGUAGE plpgsql AS {{body}}{}{{body}};\n",
                     function.name, function.body);
}

std::string create_statements(const Schema& schema, Dialect::Kind kind) {
  std::string all;
  if (kind == Dialect::Kind::postgresql) {
    for (const auto& function : schema.functions) all += create_function(function);
  }
  for (const auto& table : schema.tables) {
    all += create_table(table, kind);
    for (const auto& index : table.indexes) all += create_index(table, index, kind);
  }
  for (const auto& table : schema.tables) {
    for (const auto& trigger : table.triggers) all += create_trigger(trigger, kind);
  }
  return all;
}

}  // namespace call_service::db
