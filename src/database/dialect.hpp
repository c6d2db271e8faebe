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
  //   {lateral}       LATERAL behind FROM input i,       (SQLite: nothing)
  //   {{              {       of a text
  //   {by_key:calls:c} … {key:c}
  //                   behind FROM input i JOIN: the rows of calls, as c, that fit the condition between the two, found
  //                   by that condition alone. On PostgreSQL a subquery that the planner takes as it is: what else the
  //                   statement asks of c must not lead it to another index, because plans are kept, and the statistics
  //                   that they were made from are of a moment when nothing was pending or nobody was active.
  //                   On SQLite one that it makes part of the statement.
  //   {one_by_one}    at the end of an EXISTS: looked for in each row, and never by reading the whole table into a
  //                   hash, which PostgreSQL prefers while it is small, and goes on with when it is not
  //   {schema}        the quoted schema                  (SQLite: main)
  //   {body}          a dollar quote around a function's body that its text, with the schema's name in it, cannot end
  //   {any_name}      the qualified table any_name
  // Throws StatementFailed if anything else stands in braces.
  std::string expand(std::string_view sql) const;

  // The whole text of a statement: the relation `input`, on PostgreSQL from one array a column, $1 …, and the
  // statement's own text. On SQLite that is the text with ?1 … for the input's columns (sqlite/inlined_input.hpp),
  // and the relation, of one row, only where the text cannot do without.
  std::string render(const Statement& statement) const;

  // "schema"."table", or "table".
  std::string qualified(std::string_view table) const;

 private:
  std::string open_by_key(std::string_view token) const;

  Kind kind_;
  std::string schema_;
};

// How a database spells a column of this type.
std::string_view sql_type(Type type, Dialect::Kind kind);

// An identifier in double quotes, with those inside doubled.
std::string quote_identifier(std::string_view name);

}  // namespace call_service::db
