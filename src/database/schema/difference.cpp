#include "database/schema/difference.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace call_service::db {

namespace {

// Names of constraints do not count: SQLite has none.
bool same(const CheckSchema& a, const CheckSchema& b) {
  return a.condition == b.condition;
}
bool same(const UniqueSchema& a, const UniqueSchema& b) {
  return a.columns == b.columns;
}
bool same(const ForeignKeySchema& a, const ForeignKeySchema& b) {
  return a.columns == b.columns && a.table == b.table && a.referenced == b.referenced && a.on_update == b.on_update &&
         a.on_delete == b.on_delete;
}
bool same(const IndexSchema& a, const IndexSchema& b) {
  return a.name == b.name && a.columns == b.columns && a.unique == b.unique && a.where == b.where &&
         a.invalid == b.invalid;
}
bool same(const TriggerSchema& a, const TriggerSchema& b) {
  return a.name == b.name && a.create == b.create;
}
bool same(const FunctionSchema& a, const FunctionSchema& b) {
  return a.name == b.name && a.body == b.body;
}

// Those of `parts` that `others` does not have.
template <typename Part>
std::vector<Part> without(const std::vector<Part>& parts, const std::vector<Part>& others) {
  std::vector<Part> left;
  for (const auto& part : parts) {
    if (std::ranges::none_of(others, [&](const Part& other) { return same(part, other); })) left.push_back(part);
  }
  return left;
}

template <typename Part>
PartChanges<Part> changes(const std::vector<Part>& before, const std::vector<Part>& after) {
  return {without(before, after), without(after, before)};
}

void change_columns(TableChange& change) {
  for (const auto& column : change.before->columns) {
    const auto* now = find_named(change.after->columns, column.name);
    if (now == nullptr) change.columns.dropped.push_back(column);
    if (now != nullptr && !(column == *now)) change.changed_columns.emplace_back(column, *now);
  }
  for (const auto& column : change.after->columns) {
    if (find_named(change.before->columns, column.name) == nullptr) change.columns.added.push_back(column);
  }
}

TableChange change(const TableSchema& before, const TableSchema& after) {
  TableChange change{.before = &before,
                     .after = &after,
                     .foreign_keys = changes(before.foreign_keys, after.foreign_keys),
                     .uniques = changes(before.uniques, after.uniques),
                     .checks = changes(before.checks, after.checks),
                     .indexes = changes(before.indexes, after.indexes),
                     .triggers = changes(before.triggers, after.triggers)};
  change_columns(change);
  return change;
}

std::string definition(const CheckSchema& check, Dialect::Kind kind) {
  return fmt::format("check ({})", check.condition.in(kind));
}
std::string definition(const UniqueSchema& unique, Dialect::Kind) {
  return fmt::format("unique constraint ({})", unique.columns);
}
std::string definition(const ForeignKeySchema& key, Dialect::Kind) {
  return fmt::format("foreign key ({}) to {} ({}), on update {}, on delete {}", key.columns, key.table, key.referenced,
                     key.on_update, key.on_delete);
}
std::string definition(const IndexSchema& index, Dialect::Kind kind) {
  return fmt::format("{}index {} ({}){}{}", index.unique ? "unique " : "", index.name, index.columns,
                     index.where ? " where " + index.where->in(kind) : "", index.invalid ? ", invalid" : "");
}
std::string definition(const TriggerSchema& trigger, Dialect::Kind) {
  return "trigger " + trigger.name;
}
std::string definition(const ColumnSchema& column, Dialect::Kind kind) {
  return fmt::format("column {} {}{}", column.name, column.type.in(kind), column.required ? " not null" : "");
}

class Description {
 public:
  explicit Description(Dialect::Kind kind) : kind_(kind) {}

  void add(const TableChange& change) {
    const auto& name = change.after != nullptr ? change.after->name : change.before->name;
    if (change.before == nullptr) return add(name, "the table is missing");
    if (change.after == nullptr) return add(name, "the table is not in the models");
    add_parts(name, change.columns);
    for (const auto& [before, after] : change.changed_columns) add_column(name, before, after);
    if (change.changes_key()) {
      add(name, fmt::format("primary key is ({}), not ({})", change.before->primary_key, change.after->primary_key));
    }
    add_parts(name, change.foreign_keys);
    add_parts(name, change.uniques);
    add_parts(name, change.checks);
    add_parts(name, change.indexes);
    add_parts(name, change.triggers);
  }

  void add(std::string_view subject, const std::string& what) {
    lines_.push_back(fmt::format("{}: {}", subject, what));
  }

  std::vector<std::string> take() { return std::move(lines_); }

 private:
  template <typename Part>
  void add_parts(const std::string& table, const PartChanges<Part>& parts) {
    for (const auto& part : parts.added) add(table, definition(part, kind_) + " is missing");
    for (const auto& part : parts.dropped) add(table, definition(part, kind_) + " is not in the models");
  }

  std::string text(const std::optional<Sql>& sql) const { return sql ? sql->in(kind_) : "none"; }

  void add_column(const std::string& table, const ColumnSchema& is, const ColumnSchema& should_be) {
    const std::string column = "column " + is.name;
    if (!(is.type == should_be.type)) {
      add(table, fmt::format("{} has type {}, not {}", column, is.type.in(kind_), should_be.type.in(kind_)));
    }
    if (is.required != should_be.required) add(table, column + (is.required ? " is" : " is not") + " NOT NULL");
    if (is.default_value != should_be.default_value) {
      add(table,
          fmt::format("{} has default {}, not {}", column, text(is.default_value), text(should_be.default_value)));
    }
    if (is.generated != should_be.generated) {
      add(table, fmt::format("{} is generated as {}, not {}", column, text(is.generated), text(should_be.generated)));
    }
  }

  Dialect::Kind kind_;
  std::vector<std::string> lines_;
};

}  // namespace

bool TableChange::empty() const {
  return before != nullptr && after != nullptr && !changes_key() && columns.empty() && changed_columns.empty() &&
         foreign_keys.empty() && uniques.empty() && checks.empty() && indexes.empty() && triggers.empty();
}

SchemaChange change(const Schema& before, const Schema& after) {
  SchemaChange all{.tables = {}, .functions = changes(before.functions, after.functions)};
  for (const auto& table : before.tables) {
    if (find_named(after.tables, table.name) == nullptr) all.tables.push_back({.before = &table});
  }
  for (const auto& table : after.tables) {
    const auto* former = find_named(before.tables, table.name);
    auto one = former != nullptr ? change(*former, table) : TableChange{.after = &table};
    if (!one.empty()) all.tables.push_back(std::move(one));
  }
  return all;
}

std::vector<std::string> describe(const SchemaChange& needed, Dialect::Kind kind) {
  Description lines(kind);
  for (const auto& table : needed.tables) lines.add(table);
  for (const auto& function : needed.functions.added) {
    lines.add("function " + function.name, "is missing or says something else");
  }
  for (const auto& function : needed.functions.dropped) {
    lines.add("function " + function.name, "is not in the models, or says something else");
  }
  return lines.take();
}

}  // namespace call_service::db
