#pragma once

#include <string>
#include <string_view>

#include "database/command.hpp"

// The few things PostgreSQL and SQLite spell differently, filled into the statements of database/command.hpp.
namespace call_service::db {

class Dialect {
 public:
  enum class Kind { postgresql, sqlite };

  // `schema`: where all tables live; SQLite has none.
  Dialect(Kind kind, std::string schema);

  Kind kind() const { return kind_; }
  const std::string& schema() const { return schema_; }

  // Replaces what stands in braces:
  //   {lock:c}        FOR UPDATE OF c                    (SQLite: nothing, it has one writer)
  //   {of:c}          c.      in RETURNING, where SQLite knows no alias (and nothing: only the table's own columns)
  //   {skip_locked}   FOR UPDATE SKIP LOCKED             (SQLite: nothing)
  //   {greatest}      GREATEST                           (SQLite: max; give it no NULL)
  //   {json}          ::json                             (SQLite: nothing)
  //   {schema}        the quoted schema                  (SQLite: main)
  //   {any_name}      the qualified table any_name
  std::string expand(std::string_view sql) const;

  // The whole text of a statement: the relation `input` (PostgreSQL: from one array a column, $1 …; SQLite: one row of
  // ?1 …) and the statement's own text.
  std::string render(const Statement& statement) const;

  // "schema"."table", or "table".
  std::string qualified(std::string_view table) const;

 private:
  Kind kind_;
  std::string schema_;
};

// An identifier in double quotes, with those inside doubled.
std::string quote_identifier(std::string_view name);

}  // namespace call_service::db
