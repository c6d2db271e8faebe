#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "base/task.hpp"
#include "database/repositories/call_repository.hpp"
#include "services/call_rules.hpp"
#include "services/call_timeline.hpp"
#include "services/call_turns.hpp"
#include "services/domain_log.hpp"

namespace call_service::services {

// What is written for a decision: the changed rows, LiveKit's part of it as intents, and its entries in the timeline.
// The deletion of a room is due at `deletion_due`; nullopt: at once.
repositories::Change change_of(const repositories::CallState& state, const rules::Changes& decided,
                               const rules::Told& told, std::optional<Timestamp> deletion_due = std::nullopt);

// Takes decisions about calls that no request asks for, taking turns with LiveKit's events. Safe on any thread.
class CallChanges {
 public:
  // nullopt: nothing to change. A pure function of the state; it may be asked again.
  using Decide = std::function<std::optional<rules::Changes>(const repositories::CallState&)>;

  CallChanges(repositories::CallRepository& calls, CallTurns& turns, const Clock& clock,
              std::function<void()> wake_outbox);

  // Reads the call, decides, and writes the result with its timeline; reads and decides anew if the call changed
  // meanwhile. What was written; nullopt: there was nothing to change, or no such call. Throws db::Unavailable.
  Task<std::optional<rules::Changes>> decide(repositories::StateQuery query, std::string_view cause, Decide decide);

 private:
  repositories::CallRepository& calls_;
  CallTurns& turns_;
  const Clock& clock_;
  std::function<void()> wake_outbox_;
};

}  // namespace call_service::services
