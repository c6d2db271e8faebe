#include "services/second_look.hpp"

#include <algorithm>

#include "base/ranges.hpp"
#include "metrics.hpp"

namespace call_service::services {

namespace {

using repositories::CallState;
using rules::Changes;
using rules::Look;
using rules::Seen;

constexpr std::string_view by_comparison = "reconciler";
constexpr std::string_view by_timer = "timer";

std::optional<Changes> if_any(const CallState& state, Changes changes) {
  if (!rules::changes_something(state, changes)) return std::nullopt;
  return changes;
}

void count(std::string_view repair) {
  metrics::series().repairs.add({repair});
}

bool has(const Look& look, const std::string& sid) {
  return contains(look.people, sid, &Seen::sid);
}

std::vector<std::string> known_rooms(const Doubt& doubt, const Look& second) {
  std::vector<std::string> sids;
  if (doubt.call.room_sid) sids.push_back(*doubt.call.room_sid);
  for (const Look* look : {&doubt.first, &second}) {
    if (look->room) sids.push_back(look->room->sid);
  }
  return sids;
}

}  // namespace

rules::Absence SecondLook::absence_of(const Doubt& doubt, const Look& second) const {
  rules::Absence absence{.room_sids = known_rooms(doubt, second), .asked_at = doubt.first.asked_at};
  for (const std::string& sid : doubt.call.connections) {
    if (!has(doubt.first, sid) && !has(second, sid)) absence.connections.push_back(sid);
  }
  absence.room = !doubt.first.room && !second.room;
  absence.last_seen = doubt.last_seen;
  absence.watched_since = doubt.watched_since;
  absence.departure_timeout = settings_.departure_timeout;
  return absence;
}

Task<void> SecondLook::settle(Doubt doubt, Look second) {
  co_await meet(doubt, second);
  if (doubt.compare) co_await miss(doubt.call.call_id, absence_of(doubt, second));
  if (doubt.timer) co_await fall_silent(doubt, second);
}

Task<void> SecondLook::meet(const Doubt& doubt, const Look& second) {
  if (!second.room) co_return;
  const bool is_same = doubt.first.room && doubt.first.room->sid == second.room->sid;
  if (is_same && doubt.call.room_sid != second.room->sid) {
    co_await see_room(doubt.call.call_id, rules::room_fact(second));
  }
  for (const Seen& seen : second.people) {
    const bool is_news = seen.is_connected && has(doubt.first, seen.sid) && !contains(doubt.call.connections, seen.sid);
    if (is_news) co_await meet_one(doubt.call.call_id, rules::participant_fact(second, seen));
  }
}

Task<void> SecondLook::see_room(Uuid call_id, rules::RoomFact fact) {
  const repositories::StateQuery query{.call_id = call_id, .room_sid = fact.room_sid, .all_open = true};
  const auto done =
      co_await changes_.decide(query, by_comparison, [fact](const CallState& state) -> std::optional<Changes> {
        if (!state.call.is_active()) return std::nullopt;
        return if_any(state, rules::decide(state, fact));
      });
  if (done) count("room_recorded");
}

Task<void> SecondLook::meet_one(Uuid call_id, rules::ParticipantFact fact) {
  const repositories::StateQuery query{
      .call_id = call_id, .identity = fact.identity, .participant_sid = fact.sid, .room_sid = fact.room_sid};
  const Uuid new_id = make_uuid_v7(clock_.now());
  const auto done =
      co_await changes_.decide(query, by_comparison, [fact, new_id](const CallState& state) -> std::optional<Changes> {
        if (!state.call.is_active()) return std::nullopt;
        if (const auto* session = rules::departed(state, fact.sid))
          return Changes{.call = state.call, .remove = *session};
        return if_any(state, rules::decide(state, fact, new_id));
      });
  if (done) count(done->sessions.empty() ? "connection_removed" : "session_joined");
}

Task<void> SecondLook::miss(Uuid call_id, rules::Absence absence) {
  if (absence.connections.empty() && !absence.room) co_return;
  repositories::StateQuery query{.call_id = call_id, .all_open = true};
  if (!absence.room_sids.empty()) query.room_sid = absence.room_sids.front();
  const auto done = co_await changes_.decide(query, by_comparison, [absence](const CallState& state) {
    return if_any(state, rules::conclude_absence(state, absence));
  });
  if (!done) co_return;
  for (const auto& session : done->sessions) {
    if (session.end_reason == "reconciled") count("session_ended");
  }
  if (!done->call.is_active()) count("call_ended");
}

Task<void> SecondLook::fall_silent(const Doubt& doubt, const Look& second) {
  rules::Silence silence{.room_sids = known_rooms(doubt, second), .people = doubt.first.people};
  append(silence.people, second.people);
  silence.room = second.room.has_value();
  silence.asked_at = doubt.first.asked_at;
  silence.never_joined_timeout = settings_.never_joined_timeout;
  const repositories::StateQuery query{.call_id = doubt.call.call_id, .all_open = true};
  co_await changes_.decide(query, by_timer, [silence](const CallState& state) {
    return if_any(state, rules::conclude_silence(state, silence));
  });
}

Task<void> SecondLook::room_of_ended_call(Uuid call_id, Look second) {
  const repositories::StateQuery query{.call_id = call_id, .room_sid = second.room->sid};
  const auto fact = rules::room_fact(second);
  const auto done =
      co_await changes_.decide(query, by_comparison, [fact](const CallState& state) -> std::optional<Changes> {
        // One that is asked for already would begin anew.
        if (state.call.is_active() || state.call.room_deletion == "pending") return std::nullopt;
        return if_any(state, rules::decide(state, fact));
      });
  if (done) count("room_deletion_requested");
}

}  // namespace call_service::services
