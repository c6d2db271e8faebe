#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/task.hpp"
#include "database/engine.hpp"
#include "database/models/model.hpp"

namespace call_service::repositories {

// The common base: a repository turns method calls into commands of its kinds and rows into models. Methods throw
// db::Unavailable (an outage) or db::StatementFailed (a bug); what depends on the caller's input is in their result.
template <typename Model>
class Repository {
 public:
  explicit Repository(db::Engine& engine) : engine_(engine) {}

 protected:
  Task<db::CommandResult> run(const db::CommandKind& kind, Uuid key, std::vector<db::Rows> inputs) {
    if (inputs.size() != kind.statements.size())
      throw std::logic_error(kind.name + " has other statements than inputs");
    co_return co_await engine_.execute(db::Command{&kind, key, std::move(inputs)});
  }

  db::Engine& engine_;
};

}  // namespace call_service::repositories
