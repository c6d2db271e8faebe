#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "database/dialect.hpp"

// What a schema is made of, as the models declare it and as it is read from a database. Names are as SQL writes them:
// odd ones, which somebody else gave, have their quotes. Lists of columns are texts, "call_id, created_at DESC". Names
// in braces are filled in by Dialect::expand.
namespace call_service::db {

// SQL that the two databases may spell differently.
struct Sql {
  std::string postgresql;
  std::string sqlite;
  // Read from this database because no declaration says it: its text for the other one is a guess.
  std::optional<Dialect::Kind> taken_from;

  Sql(const char* text) : postgresql(text), sqlite(text) {}
  Sql(std::string text) : postgresql(text), sqlite(std::move(text)) {}
  Sql(std::string for_postgresql, std::string for_sqlite)
      : postgresql(std::move(for_postgresql)), sqlite(std::move(for_sqlite)) {}

  const std::string& in(Dialect::Kind kind) const { return kind == Dialect::Kind::postgresql ? postgresql : sqlite; }
  bool operator==(const Sql&) const = default;
};

struct ColumnSchema {
  std::string name;
  Sql type;
  bool required = false;  // NOT NULL
  std::optional<Sql> default_value{};
  std::optional<Sql> generated{};  // computed by the database and stored

  bool operator==(const ColumnSchema&) const = default;
};

// Constraints have names on PostgreSQL, for dropping them; what they say is what they are compared by.
struct CheckSchema {
  std::string name;
  Sql condition;
};

struct UniqueSchema {
  std::string name;
  std::string columns;
};

struct ForeignKeySchema {
  std::string name;
  std::string columns;
  std::string table;       // referenced, in the same schema
  std::string referenced;  // its columns
  std::string on_update = "NO ACTION";
  std::string on_delete = "NO ACTION";
};

struct IndexSchema {
  std::string name;
  std::string columns;
  bool unique = false;
  std::optional<Sql> where{};
  bool invalid = false;  // PostgreSQL: left over by a CREATE INDEX CONCURRENTLY that failed
};

struct TriggerSchema {
  std::string name;
  Sql create;  // the whole statement, without ';'
};

// PostgreSQL only: what a trigger calls.
struct FunctionSchema {
  std::string name;
  std::string body;  // PL/pgSQL
};

struct TableSchema {
  std::string name{};
  std::vector<ColumnSchema> columns{};
  std::string primary_key{};
  std::vector<ForeignKeySchema> foreign_keys{};
  std::vector<UniqueSchema> uniques{};
  std::vector<CheckSchema> checks{};
  std::vector<IndexSchema> indexes{};
  std::vector<TriggerSchema> triggers{};
};

struct Schema {
  std::vector<TableSchema> tables{};  // each after those it references
  std::vector<FunctionSchema> functions{};
};

// The part with that name, or null.
template <typename Part>
const Part* find_named(const std::vector<Part>& parts, std::string_view name) {
  for (const auto& part : parts) {
    if (part.name == name) return &part;
  }
  return nullptr;
}

}  // namespace call_service::db
