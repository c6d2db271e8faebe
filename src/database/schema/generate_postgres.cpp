// generate.hpp: PostgreSQL alters everything in place.

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "database/schema/generate.hpp"
#include "database/schema/statements.hpp"

namespace call_service::db {

namespace {

constexpr auto kind = Dialect::Kind::postgresql;

// What PostgreSQL calls a constraint that was given no name; empty if that cannot be told.
std::string default_name(const std::string& table, const std::string& columns, std::string_view suffix) {
  std::string name = table + "_";
  for (const char c : columns) {
    if (c == ',') name += '_';
    if (c != ',' && c != ' ') name += c;
  }
  return name.append("_").append(suffix);
}

std::string name_of(const std::string& table, const ForeignKeySchema& key) {
  return key.name.empty() ? default_name(table, key.columns, "fkey") : key.name;
}
std::string name_of(const std::string& table, const UniqueSchema& unique) {
  return unique.name.empty() || unique.name.starts_with("sqlite_") ? default_name(table, unique.columns, "key")
                                                                   : unique.name;
}
std::string name_of(const std::string&, const CheckSchema& check) {
  return check.name;
}

class Writer {
 public:
  std::string write(const SchemaChange& change) {
    for (const auto& table : change.tables) drop_parts(table);
    for (const auto& table : std::views::reverse(change.tables)) {
      if (table.after == nullptr) line("DROP TABLE {{{}}};", table.before->name);
    }
    write_functions(change.functions);
    for (const auto& table : change.tables) {
      if (table.before == nullptr) {
        create(*table.after);
      } else if (table.after != nullptr) {
        alter(table);
      }
    }
    for (const auto& table : change.tables) add_triggers(table);
    return std::move(text_);
  }

 private:
  template <typename... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    text_ += fmt::format(format, std::forward<Values>(values)...) + "\n";
  }

  // Everything that might stand in the way of what follows.
  void drop_parts(const TableChange& change) {
    if (change.before == nullptr) return;
    const auto& table = change.before->name;
    const auto& triggers = change.after == nullptr ? change.before->triggers : change.triggers.dropped;
    for (const auto& trigger : triggers) line("DROP TRIGGER {} ON {{{}}};", trigger.name, table);
    if (change.after == nullptr) return;
    for (const auto& index : change.indexes.dropped) line("DROP INDEX {};", in_its_schema(index.name));
    drop_constraints(table, change.foreign_keys.dropped);
    drop_constraints(table, change.uniques.dropped);
    drop_constraints(table, change.checks.dropped);
  }

  template <typename Part>
  void drop_constraints(const std::string& table, const std::vector<Part>& parts) {
    for (const auto& part : parts) {
      const auto name = name_of(table, part);
      if (name.empty()) {
        line("-- EDIT: SQLite does not tell the name of this constraint of {}: {}", table,
             constraint_definition(part, kind));
        line("-- ALTER TABLE {{{}}} DROP CONSTRAINT …;", table);
      } else {
        line("ALTER TABLE {{{}}} DROP CONSTRAINT {};", table, name);
      }
    }
  }

  void write_functions(const PartChanges<FunctionSchema>& functions) {
    for (const auto& function : functions.dropped) {
      if (find_named(functions.added, function.name) == nullptr) line("DROP FUNCTION {{{}}}();", function.name);
    }
    for (const auto& function : functions.added) text_ += create_function(function);
  }

  void create(const TableSchema& table) {
    text_ += create_table(table, kind);
    for (const auto& index : table.indexes) text_ += create_index(table, index, kind);
  }

  void alter(const TableChange& change) {
    const auto& table = change.after->name;
    text_ += rename_note(change);
    if (change.changes_key()) line("ALTER TABLE {{{0}}} DROP CONSTRAINT {0}_pkey;", table);
    for (const auto& column : change.columns.dropped) line("ALTER TABLE {{{}}} DROP COLUMN {};", table, column.name);
    for (const auto& column : change.columns.added) add_column(table, column);
    for (const auto& [before, after] : change.changed_columns) alter_column(table, before, after);
    if (change.changes_key() && !change.after->primary_key.empty()) {
      line("ALTER TABLE {{{}}} ADD PRIMARY KEY ({});", table, change.after->primary_key);
    }
    add_constraints(table, change.uniques.added);
    for (const auto& check : change.checks.added)
      text_ += guess_note(check.condition, kind), add_constraint(table, check);
    add_constraints(table, change.foreign_keys.added);
    add_indexes(*change.after, change.indexes.added);
  }

  void add_column(const std::string& table, const ColumnSchema& column) {
    for (const auto* sql : {&column.default_value, &column.generated}) {
      if (*sql) text_ += guess_note(**sql, kind);
    }
    if (!column.required || column.default_value || column.generated) {
      line("ALTER TABLE {{{}}} ADD COLUMN {};", table, column_definition(column, kind));
      return;
    }
    auto optional = column;
    optional.required = false;
    line("ALTER TABLE {{{}}} ADD COLUMN {};", table, column_definition(optional, kind));
    line("-- EDIT: {} is required and has no default: say what rows get that are there already (with NULL, a table",
         column.name);
    line("-- with rows is refused).");
    line("UPDATE {{{}}} SET {} = NULL;", table, column.name);
    line("ALTER TABLE {{{}}} ALTER COLUMN {} SET NOT NULL;", table, column.name);
  }

  void alter_column(const std::string& table, const ColumnSchema& before, const ColumnSchema& after) {
    if (after.generated && before.generated != after.generated) {
      line("ALTER TABLE {{{}}} DROP COLUMN {};", table, before.name);
      return add_column(table, after);
    }
    const auto prefix = fmt::format("ALTER TABLE {{{}}} ALTER COLUMN {}", table, after.name);
    if (before.generated && !after.generated) line("{} DROP EXPRESSION;", prefix);
    const bool has_new_type = !(before.type == after.type);
    const bool has_new_default = before.default_value != after.default_value;
    if (before.default_value && (has_new_type || has_new_default)) line("{} DROP DEFAULT;", prefix);
    if (has_new_type) {
      line("-- EDIT: say how what is in {} becomes {}, if not so; the table is locked while it is written anew.",
           after.name, after.type.in(kind));
      line("{0} TYPE {1} USING {2}::{1};", prefix, after.type.in(kind), after.name);
    }
    if (after.default_value && (has_new_type || has_new_default)) {
      text_ += guess_note(*after.default_value, kind);
      line("{} SET DEFAULT {};", prefix, after.default_value->in(kind));
    }
    if (before.required && !after.required) line("{} DROP NOT NULL;", prefix);
    if (!before.required && after.required) {
      line("-- EDIT: rows without {} are refused: give them one first.", after.name);
      line("{} SET NOT NULL;", prefix);
    }
  }

  template <typename Part>
  void add_constraint(const std::string& table, const Part& part) {
    line("ALTER TABLE {{{}}} ADD {};", table, constraint_definition(part, kind));
  }

  template <typename Part>
  void add_constraints(const std::string& table, const std::vector<Part>& parts) {
    for (const auto& part : parts) add_constraint(table, part);
  }

  void add_indexes(const TableSchema& table, const std::vector<IndexSchema>& indexes) {
    if (!indexes.empty() && !is_index_noted_) {
      line(
          "-- A large table is locked against writes while an index is made: then let it be a migration of its own, "
          "with");
      line("-- the line \"-- not transactional\" and CREATE INDEX CONCURRENTLY IF NOT EXISTS.");
      is_index_noted_ = true;
    }
    for (const auto& index : indexes) text_ += create_index(table, index, kind);
  }

  void add_triggers(const TableChange& change) {
    if (change.after == nullptr) return;
    const auto& triggers = change.before == nullptr ? change.after->triggers : change.triggers.added;
    for (const auto& trigger : triggers) text_ += create_trigger(trigger, kind);
  }

  std::string text_;
  bool is_index_noted_ = false;
};

}  // namespace

std::string postgres_statements(const SchemaChange& change) {
  return Writer().write(change);
}

}  // namespace call_service::db
