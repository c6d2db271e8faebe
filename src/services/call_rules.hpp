#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/repositories/call_repository.hpp"
#include "livekit/webhook_event.hpp"

// What a fact about a room changes in a call: pure functions of the call's state and the fact. Facts decide, not the
// order in which they arrive: a room's generation is its sid, a session is one connection with its participant sid,
// ended stays ended.
//
// What happens when participant_left arrives late (after the call ended, after the user came back, before its own
// participant_joined, twice) is in participant_left().
namespace call_service::rules {

using repositories::CallState;

// What LiveKit's events tell, without its wire.
struct RoomFact {
  livekit::EventType type = livekit::EventType::other;
  std::string room_sid{};
  std::optional<Timestamp> room_created_at{};
  Timestamp occurred_at{};  // LiveKit's createdAt: whole seconds
  Timestamp arrived_at{};

  // When it happened: the time of arrival if that is less than 2 s after occurred_at, which has no milliseconds.
  Timestamp moment() const;
};

struct ParticipantFact : RoomFact {
  std::string sid{};
  std::string identity{};
  std::optional<Timestamp> joined_at{};
  std::optional<Uuid> session_id{};  // named in the participant's attributes
  std::string disconnect_reason{};   // as LiveKit spells it
};

// The result of a decision. `call` is the state after it.
struct Changes {
  models::Call call{};
  std::vector<models::Session> sessions{};  // new or changed
  bool delete_room = false;                 // the room is there though the call has ended
  std::optional<models::Session> remove{};  // the connection of a session that had been left before it arrived
};

// `new_id` is the id of the session that is made if the fact needs one.
Changes decide(const CallState& state, const RoomFact& fact);
Changes decide(const CallState& state, const ParticipantFact& fact, Uuid new_id);

// closes_at has come, and LiveKit, asked, has no such room: the call ends as room_finished.
Changes close(const CallState& state);

// The call, active and read with all its open sessions, has lasted as long as a call may: it ends at `at` as
// max_duration, or at the latest that is known of it, and its room is to be deleted.
Changes expire(const CallState& state, Timestamp at, Timestamp now);

// How long a finished room's call waits for a token that was handed out after the last participant left.
inline constexpr Seconds token_grace{60};

// Whether a time that our clocks gave is further ahead than they differ: it is of a clock that was wrong. To wait until
// it has come would be to wait for as long as that.
inline bool is_ahead(Timestamp at, Timestamp now) {
  return at > now + token_grace;
}

}  // namespace call_service::rules
