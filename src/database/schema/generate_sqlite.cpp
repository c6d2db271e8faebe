// generate.hpp: SQLite adds columns and indexes in place; for everything else the table is made anew (the procedure of
// https://www.sqlite.org/lang_altertable.html#otheralter; the migrator turns foreign keys off meanwhile and checks
// them).

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "database/schema/generate.hpp"
#include "database/schema/statements.hpp"

namespace call_service::db {

namespace {

constexpr auto kind = Dialect::Kind::sqlite;

// ADD COLUMN takes neither what must be computed for rows that exist nor NOT NULL without a default.
bool can_be_added(const ColumnSchema& column) {
  return !column.generated && (!column.required || column.default_value);
}

bool needs_new_table(const TableChange& change) {
  return change.changes_key() || !change.columns.dropped.empty() || !change.changed_columns.empty() ||
         !change.foreign_keys.empty() || !change.uniques.empty() || !change.checks.empty() ||
         !std::ranges::all_of(change.columns.added, can_be_added);
}

class Writer {
 public:
  std::string write(const SchemaChange& change) {
    for (const auto& table : std::views::reverse(change.tables)) {
      if (table.after == nullptr) line("DROP TABLE {{{}}};", table.before->name);
    }
    for (const auto& table : change.tables) {
      if (table.before == nullptr) {
        text_ += create_table(*table.after, kind);
        add_all_parts(*table.after);
      } else if (table.after != nullptr) {
        alter(table);
      }
    }
    return std::move(text_);
  }

 private:
  template <typename... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    text_ += fmt::format(format, std::forward<Values>(values)...) + "\n";
  }

  void add_all_parts(const TableSchema& table) {
    for (const auto& index : table.indexes) text_ += create_index(table, index, kind);
    for (const auto& trigger : table.triggers) text_ += create_trigger(trigger, kind);
  }

  void alter(const TableChange& change) {
    text_ += rename_note(change);
    if (needs_new_table(change)) return make_anew(change);
    const auto& table = *change.after;
    for (const auto& trigger : change.triggers.dropped) line("DROP TRIGGER {};", in_its_schema(trigger.name));
    for (const auto& index : change.indexes.dropped) line("DROP INDEX {};", in_its_schema(index.name));
    for (const auto& column : change.columns.added) {
      line("ALTER TABLE {{{}}} ADD COLUMN {};", table.name, column_definition(column, kind));
    }
    for (const auto& index : change.indexes.added) text_ += create_index(table, index, kind);
    for (const auto& trigger : change.triggers.added) text_ += create_trigger(trigger, kind);
  }

  void make_anew(const TableChange& change) {
    const auto& table = *change.after;
    const auto temporary = table.name + "__new";
    line("-- SQLite cannot alter this in place: {} is made anew and filled from the old one.", table.name);
    line("PRAGMA legacy_alter_table = ON;  -- renaming must not look into triggers that name the table");
    text_ += create_table(table, kind, temporary);
    copy(change, temporary);
    line("DROP TABLE {{{}}};", table.name);
    line("ALTER TABLE {{{}}} RENAME TO {{{}}};", temporary, table.name);
    line("PRAGMA legacy_alter_table = OFF;");
    add_all_parts(table);
  }

  void copy(const TableChange& change, const std::string& into) {
    std::string columns;
    std::string values;
    const auto add = [&](const std::string& column, const std::string& value) {
      columns += (columns.empty() ? "" : ", ") + column;
      values += (values.empty() ? "" : ", ") + value;
    };
    for (const auto& column : change.after->columns) {
      if (column.generated) continue;
      const auto* former = find_named(change.before->columns, column.name);
      if (former == nullptr && can_be_added(column)) continue;
      add(column.name, former != nullptr ? column.name : "NULL");
      if (former == nullptr) {
        line(
            "-- EDIT: {} is required and has no default: say below, instead of NULL, what rows get that are there "
            "already",
            column.name);
        line("-- (with NULL, a table with rows is refused).");
      } else if (column.required && !former->required) {
        line("-- EDIT: rows without {} are refused: say below what they get.", column.name);
      }
    }
    line("INSERT INTO {{{}}} ({})\n  SELECT {} FROM {{{}}};", into, columns, values, change.after->name);
  }

  std::string text_;
};

}  // namespace

std::string sqlite_statements(const SchemaChange& change) {
  return Writer().write(change);
}

}  // namespace call_service::db
