#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "base/uuid.hpp"

// What the database is asked to do: self-contained commands, so that the engine may let them share a commit, and a
// statement, with other callers' commands. No service can tell how they were grouped.
namespace call_service::db {

enum class Type { uuid, text, timestamp, integer, boolean, json };

// A value of any Type; json is text. monostate is NULL.
using Value = std::variant<std::monostate, Uuid, std::string, Timestamp, std::int64_t, bool>;
using Row = std::vector<Value>;
using Rows = std::vector<Row>;

struct Column {
  std::string_view name{};
  Type type;
};

// One SQL statement over a relation `input` with the given columns. The engine supplies `input`: the rows of one
// command, or those of many commands of one kind. So the text must be right for any number of rows, with these rules:
//   - commands that share a statement have different keys; a statement that returns rows returns the key first, so that
//     each caller gets its own;
//   - {calls} stands for the qualified name of a table; {greatest}, {lock:c}, {skip_locked} and {json} for what the
//     databases spell differently (database/dialect.hpp);
//   - times are computed by services and passed in, never by the database.
struct Statement {
  std::string name{};
  std::vector<Column> input{};
  std::string sql{};
  std::vector<Type> output{};  // of the columns returned; empty: none
  // Runs before all other statements of a batch, its rows in ascending order: two batches that write the same new rows
  // in different orders would deadlock.
  bool first = false;
  // Tells from what this one returned for a command whether anything is left to do for the later statements; null:
  // always. They hold their conditions themselves, so this only saves their work, where statements run one by one.
  bool (*goes_on)(const Rows& returned) = nullptr;
};

// A named kind of command. Kinds live as long as the program. Two shapes, no third:
//   guarded: locks the call's row first; every later statement repeats the condition; a refusal is data (no row), never
//   an
//     SQL error, which would abort the batch;
//   decided: written from what a pure function decided on rows read before, guarded by the call's version; a lost guard
//   is
//     data too, and the service reads and decides again.
struct CommandKind {
  enum class Access { read, write };
  enum class Sharing { statement, commit };  // whether commands of this kind may share a statement, or only a commit

  std::string name{};
  Access access = Access::write;
  Sharing sharing = Sharing::statement;
  std::vector<Statement> statements{};
};

// A kind and its values. `inputs` has as many entries as the kind has statements, each with the rows of its `input`; a
// statement without rows is skipped.
struct Command {
  const CommandKind* kind = nullptr;
  Uuid key{};  // the call it is about: what is locked, and what orders the members of a batch
  std::vector<Rows> inputs{};
};

// What each statement returned, in the order of the kind's statements.
struct CommandResult {
  std::vector<Rows> rows{};
};

}  // namespace call_service::db
