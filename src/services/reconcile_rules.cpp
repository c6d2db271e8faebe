#include "services/reconcile_rules.hpp"

#include <algorithm>

#include "base/ranges.hpp"

namespace call_service::rules {

namespace {

using models::CallStatus;
using models::EndEvidence;
using models::Session;
using models::SessionStatus;

// The end of a call with all its open sessions.
struct CallEnd {
  Timestamp at;
  std::string_view reason;
  std::string_view session_reason;
  EndEvidence evidence;
};

void end_session(Session& session, Timestamp at, std::string_view reason, EndEvidence evidence) {
  session.status = SessionStatus::ended;
  session.end_reason = reason;
  session.end_evidence = evidence;
  session.left_at = std::max({at, session.created_at, session.joined_at.value_or(at)});
}

// The sessions that a decision has not changed yet.
auto unchanged_sessions(const CallState& state, const Changes& changes) {
  return state.sessions | std::views::filter([&](const Session& session) {
           return !contains(changes.sessions, session.session_id, &Session::session_id);
         });
}

void end_call(const CallState& state, Changes& changes, const CallEnd& end) {
  auto& call = changes.call;
  Timestamp at = std::max({end.at, call.started_at, state.latest_moment.value_or(end.at)});
  for (const Session& session : changes.sessions) at = std::max(at, session.left_at.value_or(at));
  for (const Session& session : state.sessions) at = std::max(at, session.joined_at.value_or(at));
  call.status = CallStatus::ended;
  call.end_reason = end.reason;
  call.ended_at = at;
  call.closes_at.reset();
  std::vector<Session> ended;
  for (const Session& session : unchanged_sessions(state, changes)) {
    if (session.is_open()) end_session(ended.emplace_back(session), at, end.session_reason, end.evidence);
  }
  append(changes.sessions, std::move(ended));
}

bool is_over(const models::Call& call, Timestamp last_seen, const Absence& absence) {
  const Timestamp counts_from = std::max(last_seen, absence.watched_since);
  const Timestamp issued = call.token_issued_at.value_or(call.started_at);
  return absence.asked_at - counts_from >= absence.departure_timeout &&
         (absence.asked_at - issued >= token_grace || is_ahead(issued, absence.asked_at));
}

bool somebody_stays(const CallState& state, const Changes& changes) {
  return std::ranges::any_of(unchanged_sessions(state, changes),
                             [](const Session& session) { return session.status == SessionStatus::active; });
}

// On a connection that no active session has: that one's is no sign of another.
std::vector<Seen> arrivals(const CallState& state, const Silence& silence) {
  std::vector<Seen> arriving;
  for (const Seen& seen : silence.people) {
    const bool is_on_record = std::ranges::any_of(state.sessions, [&](const Session& session) {
      return session.status == SessionStatus::active && session.participant_sid == seen.sid;
    });
    if (!is_on_record) arriving.push_back(seen);
  }
  return arriving;
}

// Somebody made the room anew since LiveKit was asked.
bool has_news(const CallState& state, const std::vector<std::string>& room_sids) {
  return state.call.room_sid && !contains(room_sids, *state.call.room_sid);
}

bool has_nobody(const CallState& state) {
  return !state.call.entered_at && std::ranges::none_of(state.sessions, [](const Session& session) {
    return session.status == SessionStatus::active;
  });
}

}  // namespace

bool is_person(std::string_view kind) {
  return kind != "INGRESS" && kind != "EGRESS" && kind != "SIP" && kind != "AGENT";
}

RoomFact room_fact(const Look& look) {
  return {.type = livekit::EventType::room_started,
          .room_sid = look.room->sid,
          .room_created_at = look.room->created_at,
          .occurred_at = look.asked_at,
          .arrived_at = look.asked_at};
}

ParticipantFact participant_fact(const Look& look, const Seen& seen) {
  ParticipantFact fact{room_fact(look)};
  fact.type = livekit::EventType::participant_joined;
  fact.sid = seen.sid;
  fact.identity = seen.identity;
  fact.joined_at = seen.joined_at;
  fact.session_id = seen.session_id;
  return fact;
}

const Session* departed(const CallState& state, const std::string& participant_sid) {
  const auto found = std::ranges::find(state.sessions, participant_sid, &Session::participant_sid);
  return found != state.sessions.end() && !found->is_open() ? &*found : nullptr;
}

Changes conclude_absence(const CallState& state, const Absence& absence) {
  Changes changes{.call = state.call};
  if (!state.call.is_active()) return changes;
  for (const Session& session : state.sessions) {
    const bool is_gone =
        session.status == SessionStatus::active && contains(absence.connections, session.participant_sid.value_or(""));
    if (!is_gone) continue;
    const Timestamp evidence = std::max(*session.joined_at, absence.last_seen.value_or(*session.joined_at));
    end_session(changes.sessions.emplace_back(session), evidence, "reconciled", EndEvidence::reconciler);
  }
  if (!absence.room || has_news(state, absence.room_sids)) return changes;
  if (!state.call.entered_at || state.call.closes_at || somebody_stays(state, changes)) return changes;

  Timestamp last_seen = std::max(*state.call.entered_at, absence.last_seen.value_or(*state.call.entered_at));
  last_seen = std::max(last_seen, state.room_last_left.value_or(last_seen));
  for (const Session& session : changes.sessions) last_seen = std::max(last_seen, *session.left_at);
  if (is_over(state.call, last_seen, absence)) {
    end_call(state, changes, {last_seen, "reconciled", "call_ended", EndEvidence::reconciler});
  }
  return changes;
}

bool may_be_over(const repositories::OpenCall& call, const Absence& absence) {
  if (!absence.room || !call.entered_at || call.closes_at || !call.connections.empty()) return false;
  const Timestamp last_seen = std::max(*call.entered_at, absence.last_seen.value_or(*call.entered_at));
  models::Call row{.call_id = call.call_id, .started_at = *call.entered_at};
  row.token_issued_at = call.token_issued_at;
  return is_over(row, last_seen, absence);
}

Changes conclude_silence(const CallState& state, const Silence& silence) {
  Changes changes{.call = state.call};
  const auto& call = state.call;
  if (!call.is_active() || has_news(state, silence.room_sids)) return changes;
  if (call.closes_at &&
      (*call.closes_at <= silence.asked_at || is_ahead(*call.closes_at - token_grace, silence.asked_at))) {
    if (silence.room) {
      changes.call.closes_at.reset();
    } else if (silence.people.empty()) {
      return close(state);
    }
  }
  const auto arriving = arrivals(state, silence);
  const Timestamp issued = call.token_issued_at.value_or(call.started_at);
  const Timestamp waited_from = is_ahead(issued, silence.asked_at) ? call.started_at : issued;
  const Timestamp given_up = waited_from + silence.never_joined_timeout;
  const bool times_out = silence.never_joined_timeout.count() > 0 && given_up <= silence.asked_at;
  if (times_out && has_nobody(state) && arriving.empty()) {
    end_call(state, changes, {given_up, "never_joined", "never_joined", EndEvidence::timer});
    changes.delete_room = true;
    changes.call.room_deletion = "pending";
    return changes;
  }
  for (const Session& session : state.sessions) {
    if (session.status != SessionStatus::pending || !session.token_expires_at) continue;
    const Timestamp over = *session.token_expires_at + session_grace;
    if (over > silence.asked_at || contains(arriving, session.user_id, &Seen::identity)) continue;
    end_session(changes.sessions.emplace_back(session), over, "never_joined", EndEvidence::timer);
  }
  return changes;
}

bool changes_something(const CallState& state, const Changes& changes) {
  return !changes.sessions.empty() || changes.delete_room || changes.remove ||
         changes.call.status != state.call.status || changes.call.room_sid != state.call.room_sid ||
         changes.call.closes_at != state.call.closes_at;
}

}  // namespace call_service::rules
