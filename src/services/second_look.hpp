#pragma once

#include <vector>

#include "base/task.hpp"
#include "base/time.hpp"
#include "database/repositories/open_calls_repository.hpp"
#include "services/call_changes.hpp"
#include "services/lookout.hpp"
#include "services/reconcile_rules.hpp"

namespace call_service::services {

// How far apart two looks are: more than what LiveKit's lists lag behind, and more than what a webhook that is on its
// way still needs.
inline constexpr Milliseconds between_looks{1200};

// A call about which the record and LiveKit differed at the first look, or about which a timer asks.
struct Doubt {
  repositories::OpenCall call{};  // as it was on record before the first look
  rules::Look first{};
  std::optional<Timestamp> last_seen{};  // when everybody on record, or the last who left, was last seen there
  Timestamp watched_since{};             // LiveKit could be asked about it since then
  bool compare = false;
  bool timer = false;
};

// What the second look at a call changes: who is there at both enters the record, who is there though known to have
// left is removed, who is at neither is ended. Each change is a decision of its own. Runs on one io_context.
class SecondLook {
 public:
  struct Settings {
    Seconds departure_timeout{};     // ROOM_DEPARTURE_TIMEOUT_SECONDS
    Seconds never_joined_timeout{};  // CALL_NEVER_JOINED_TIMEOUT_SECONDS; 0: never
  };

  SecondLook(CallChanges& changes, const Clock& clock, Settings settings)
      : changes_(changes), clock_(clock), settings_(settings) {}

  Task<void> settle(Doubt doubt, rules::Look second);

  // The room of a call that has ended is there at both looks: it is deleted.
  Task<void> room_of_ended_call(Uuid call_id, rules::Look second);

  rules::Absence absence_of(const Doubt& doubt, const rules::Look& second) const;

 private:
  Task<void> meet(const Doubt& doubt, const rules::Look& second);
  Task<void> meet_one(Uuid call_id, rules::ParticipantFact fact);
  Task<void> see_room(Uuid call_id, rules::RoomFact fact);
  Task<void> miss(Uuid call_id, rules::Absence absence);
  Task<void> fall_silent(const Doubt& doubt, const rules::Look& second);

  CallChanges& changes_;
  const Clock& clock_;
  Settings settings_;
};

}  // namespace call_service::services
