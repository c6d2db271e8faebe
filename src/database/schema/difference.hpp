#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "database/schema/catalog.hpp"
#include "database/schema/table_schema.hpp"

namespace call_service::db {

// The live schema in the declaration's words: what says the same as the declaration is the declaration's own, so it is
// right for both databases. What no declaration says is as the live database spells it, and marked for the other
// one (Sql::taken_from).
Schema in_declared_words(const Catalogs& catalogs, const Schema& declared, Dialect::Kind kind);

template <typename Part>
struct PartChanges {
  std::vector<Part> dropped;
  std::vector<Part> added;

  bool empty() const { return dropped.empty() && added.empty(); }
};

// What it takes to make one table out of another. A table that is made or dropped has only one of the two.
struct TableChange {
  const TableSchema* before = nullptr;
  const TableSchema* after = nullptr;
  PartChanges<ColumnSchema> columns{};
  std::vector<std::pair<ColumnSchema, ColumnSchema>> changed_columns{};
  PartChanges<ForeignKeySchema> foreign_keys{};
  PartChanges<UniqueSchema> uniques{};
  PartChanges<CheckSchema> checks{};
  PartChanges<IndexSchema> indexes{};
  PartChanges<TriggerSchema> triggers{};

  bool changes_key() const { return before->primary_key != after->primary_key; }
  bool empty() const;
};

struct SchemaChange {
  std::vector<TableChange> tables;  // only those that change; they point into the two schemas
  PartChanges<FunctionSchema> functions;

  bool empty() const { return tables.empty() && functions.empty(); }
};

SchemaChange change(const Schema& before, const Schema& after);

// For people, a line each: how a database differs from the models if `needed` is what it lacks. `kind` is the
// database's: SQLite has no functions.
std::vector<std::string> describe(const SchemaChange& needed, Dialect::Kind kind);

}  // namespace call_service::db
