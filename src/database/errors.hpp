#pragma once

#include <stdexcept>
#include <string>

namespace call_service::db {

// The database did not answer, or not in time: an outage. What was asked may or may not have been done.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A lock that others hold was waited for as long as allowed. Nothing was done.
class LockTimeout : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

// So much waits already that this was not even begun.
class Overloaded : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

// The connection was lost while a change was being committed: whether it was is not known.
class OutcomeUnknown : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

// The database refused a statement: a bug, or a schema that is not ours.
class StatementFailed : public std::runtime_error {
 public:
  StatementFailed(const std::string& what, std::string sqlstate)
      : std::runtime_error(what), sqlstate_(std::move(sqlstate)) {}
  const std::string& sqlstate() const { return sqlstate_; }

 private:
  std::string sqlstate_;
};

}  // namespace call_service::db
