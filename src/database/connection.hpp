#pragma once

#include <exception>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "database/command.hpp"
#include "database/dialect.hpp"

namespace call_service::db {

// A command on its way through a connection, and what became of it.
struct Member {
  const Command* command = nullptr;
  CommandResult result;
  std::exception_ptr error;  // Unavailable or StatementFailed; null: done
};

// One connection to a database; used by one thread at a time, and blocking: engines run it on threads of their own.
class Connection {
 public:
  virtual ~Connection() = default;

  // Connects if there is no connection. Throws Unavailable.
  virtual void open() = 0;

  // Runs the members in one transaction and completes each after the commit: sets its result or its error. Returns
  // false if nothing was done because one member spoiled it for all (an SQL error, a row locked by others): then no
  // member is completed and they are to be run one by one. Throws Unavailable if the outcome is not known.
  // `lock_timeout`: how long to wait for a row that others hold.
  virtual bool run(std::span<Member*> members, Milliseconds lock_timeout) = 0;

  // Runs statements without parameters and without results, separated by ';', outside of any prepared state.
  virtual void execute_script(const std::string& sql) = 0;

  // Runs one statement now, outside of any transaction. Throws StatementFailed or Unavailable.
  virtual Rows query(const Statement& statement, const Rows& input) = 0;

  virtual const Dialect& dialect() const = 0;

  // Whether what one statement sets for the session holds for the next: not behind a pooler of transactions.
  virtual bool keeps_session() const { return true; }
};

// The members of a batch that may share one statement: of one kind, with different keys.
struct Group {
  const CommandKind* kind = nullptr;
  std::vector<Member*> members;
};

// Splits a batch into groups, members in ascending order of their keys, so that all batches lock rows in one order.
std::vector<Group> group_members(std::span<Member*> members);

}  // namespace call_service::db
