#pragma once

#include <optional>
#include <string>
#include <vector>

#include "database/repositories/open_calls_repository.hpp"
#include "services/call_rules.hpp"

// What LiveKit's answers, when asked about a call, change in it: pure functions of the call's state and what was seen.
// Presence is believed at once and goes through the rules for LiveKit's events. Absence closes something only if two
// looks, apart by more than what LiveKit's lists lag behind, both miss what was on record before either.
namespace call_service::rules {

// A person whom LiveKit lists in a room.
struct Seen {
  std::string sid{};
  std::string identity{};
  bool is_connected = false;  // state ACTIVE; before that somebody is merely not absent
  std::optional<Timestamp> joined_at{};
  std::optional<Uuid> session_id{};  // named in the participant's attributes
};

struct SeenRoom {
  std::string sid{};
  std::optional<Timestamp> created_at{};
};

// One complete answer about one call. No answer, or half of one, is no look at all.
struct Look {
  Timestamp asked_at{};
  std::optional<SeenRoom> room{};
  std::vector<Seen> people{};
};

// Agents, recorders and the like are no participants of a call. `kind` as LiveKit spells it.
bool is_person(std::string_view kind);

// The look as the events that LiveKit would have sent.
RoomFact room_fact(const Look& look);
ParticipantFact participant_fact(const Look& look, const Seen& seen);

// The ended session of a connection: it left, as far as we know, so it opens nothing any more.
const models::Session* departed(const CallState& state, const std::string& participant_sid);

// What two looks missed.
struct Absence {
  std::vector<std::string> room_sids{};    // on record before, or seen: another one is news
  std::vector<std::string> connections{};  // of active sessions
  bool room = false;                       // and nobody was in it
  Timestamp asked_at{};                    // the first look
  std::optional<Timestamp> last_seen{};    // when somebody, or everybody on record, was last seen there
  Timestamp watched_since{};               // from then on LiveKit could be asked
  Seconds departure_timeout{};
};

// Sessions without their connection end as reconciled, at the last evidence of them. So does a call without a room that
// people had been in, once nobody has been seen there for departure_timeout and no token is younger than token_grace;
// the time during which LiveKit could not be asked does not count.
Changes conclude_absence(const CallState& state, const Absence& absence);

// Whether a call in which nobody is on record may have to end so, which is worth two looks.
bool may_be_over(const repositories::OpenCall& call, const Absence& absence);

// What two looks found where a timer asks.
struct Silence {
  std::vector<std::string> room_sids{};  // as in Absence
  std::vector<Seen> people{};            // in either look
  bool room = false;                     // there at the second look
  Timestamp asked_at{};                  // the first look
  Seconds never_joined_timeout{};        // 0: never
};

// How long a pending session outlives its newest token: LiveKit accepts one that long after its end.
inline constexpr Seconds session_grace{60};

// Ends what waited long enough for somebody who did not come: the call whose room is finished (room_finished), the call
// that nobody ever entered, the pending sessions whose token is over (never_joined). Whoever is there keeps theirs.
Changes conclude_silence(const CallState& state, const Silence& silence);

// Whether a decision changed anything that is worth writing.
bool changes_something(const CallState& state, const Changes& changes);

}  // namespace call_service::rules
