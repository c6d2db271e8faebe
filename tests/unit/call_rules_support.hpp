#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "services/call_rules.hpp"

// A call in memory, for the tests of the rules: facts are played against it one by one, and each decision sees what the
// repository would have read (database/repositories/call_decided.cpp).
namespace call_service::rules_test {

using livekit::EventType;
using models::Call;
using models::CallStatus;
using models::EndEvidence;
using models::Session;
using models::SessionStatus;
using rules::Changes;
using rules::ParticipantFact;
using rules::RoomFact;

// Milliseconds after the beginning of the call, which is a whole second, as LiveKit's createdAt is.
constexpr Timestamp at(int milliseconds) {
  return Timestamp(Seconds(1'795'361'960)) + Milliseconds(milliseconds);
}

struct Room {
  std::string sid = "RM_1";
  Timestamp created_at = at(0);
};

struct Connection {
  std::string sid{};
  std::string identity{};
  Timestamp joined_at{};
  std::optional<Uuid> session_id{};
  Room room{};
};

// Facts of the moment `when`, which arrive at once.
inline RoomFact room_fact(EventType type, const Room& room, Timestamp when) {
  return {.type = type,
          .room_sid = room.sid,
          .room_created_at = room.created_at,
          .occurred_at = std::chrono::floor<Seconds>(when),
          .arrived_at = when};
}

inline RoomFact started(const Room& room) {
  return room_fact(EventType::room_started, room, room.created_at);
}

inline RoomFact finished(const Room& room, Timestamp when) {
  return room_fact(EventType::room_finished, room, when);
}

inline ParticipantFact participant_fact(EventType type, const Connection& connection, Timestamp when) {
  ParticipantFact fact{room_fact(type, connection.room, when)};
  fact.sid = connection.sid;
  fact.identity = connection.identity;
  fact.joined_at = connection.joined_at;
  fact.session_id = connection.session_id;
  return fact;
}

inline ParticipantFact joined(const Connection& connection) {
  return participant_fact(EventType::participant_joined, connection, connection.joined_at);
}

inline ParticipantFact left(const Connection& connection, Timestamp when, std::string reason = "CLIENT_INITIATED") {
  auto fact = participant_fact(EventType::participant_left, connection, when);
  fact.disconnect_reason = std::move(reason);
  return fact;
}

inline ParticipantFact aborted(const Connection& connection, Timestamp when, std::string reason = "SIGNAL_CLOSE") {
  auto fact = participant_fact(EventType::participant_connection_aborted, connection, when);
  fact.disconnect_reason = std::move(reason);
  return fact;
}

// The same fact, told so late that only createdAt is left to date it.
template <typename Fact>
Fact late(Fact fact) {
  fact.arrived_at = at(1'000'000);
  return fact;
}

class Scene {
 public:
  // A call started at at(0) by `caller`, who has a pending session.
  explicit Scene(const std::string& caller = "ada") {
    call_.call_id = next_id();
    call_.caller_id = caller;
    call_.started_at = at(0);
    token(caller, at(0));
  }

  // What join and start do: the user's pending session, else a new one.
  Uuid token(const std::string& user, Timestamp when) {
    call_.token_issued_at = std::max(call_.token_issued_at.value_or(when), when);
    if (call_.closes_at) call_.closes_at = when + rules::token_grace;
    for (const auto& session : sessions_) {
      if (session.user_id == user && session.status == SessionStatus::pending) return session.session_id;
    }
    Session session{.session_id = next_id(), .call_id = call_.call_id, .user_id = user, .name = "Name of " + user};
    session.created_at = when;
    sessions_.push_back(session);
    return session.session_id;
  }

  void leave(const std::string& user, Timestamp when) {
    for (auto& session : sessions_) {
      if (session.user_id == user) end_by(EndEvidence::api, session, "left", when);
    }
  }

  // What the never-joined timer does to one session.
  void time_out(Uuid session_id, Timestamp when) {
    for (auto& session : sessions_) {
      if (session.session_id == session_id) end_by(EndEvidence::timer, session, "never_joined", when);
    }
  }

  void reconcile(const std::string& sid, Timestamp when) {
    for (auto& session : sessions_) {
      if (session.participant_sid == sid) end_by(EndEvidence::reconciler, session, "reconciled", when);
    }
  }

  void end(Timestamp when, const std::string& reason = "ended", EndEvidence evidence = EndEvidence::api) {
    call_.status = CallStatus::ended;
    call_.ended_at = when;
    call_.end_reason = reason;
    call_.closes_at.reset();
    for (auto& session : sessions_) end_by(evidence, session, "call_ended", when);
    count_participants();
  }

  Changes play(const RoomFact& fact) { return apply(rules::decide(load(fact.room_sid, std::nullopt), fact)); }

  Changes play(const ParticipantFact& fact) {
    return apply(rules::decide(load(fact.room_sid, fact.identity), fact, next_id()));
  }

  // closes_at has come, and LiveKit has no such room.
  Changes close() { return apply(rules::close(load(std::nullopt, std::nullopt))); }

  const Call& call() const { return call_; }
  const std::vector<Session>& sessions() const { return sessions_; }

  const Session* find(const std::string& sid) const {
    const auto found = std::ranges::find(sessions_, sid, &Session::participant_sid);
    return found != sessions_.end() ? &*found : nullptr;
  }

  const Session& operator[](const std::string& sid) const {
    const Session* session = find(sid);
    if (session == nullptr) throw std::runtime_error("no session has the connection " + sid);
    return *session;
  }

  const Session& operator[](const Uuid& id) const { return *std::ranges::find(sessions_, id, &Session::session_id); }

 private:
  Uuid next_id() {
    ++ids_;
    Uuid id;
    for (std::size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(ids_ >> (8 * i));
    return id;
  }

  static void end_by(EndEvidence evidence, Session& session, const std::string& reason, Timestamp when) {
    if (!session.is_open()) return;
    session.status = SessionStatus::ended;
    session.end_reason = reason;
    session.end_evidence = evidence;
    session.left_at = std::max(when, session.created_at);
    if (session.joined_at) session.joined_at = std::min(*session.joined_at, *session.left_at);
  }

  // Room events ask for all open sessions, participants' for all of the user and what is open in other generations;
  // the rest is read by itself (CallState::sessions).
  repositories::CallState load(const std::optional<std::string>& room_sid,
                               const std::optional<std::string>& identity) const {
    repositories::CallState state;
    state.call = call_;
    for (const auto& session : sessions_) {
      const bool elsewhere = room_sid && session.room_sid && session.room_sid != room_sid;
      const bool all_open = !identity || call_.closes_at;
      const bool followed = session.end_evidence == EndEvidence::generation && room_sid && call_.room_sid != room_sid;
      if (session.user_id == identity || (session.is_open() && (all_open || elsewhere)) || followed)
        state.sessions.push_back(session);
      state.latest_moment = std::max({state.latest_moment.value_or(session.created_at), session.created_at,
                                      session.left_at.value_or(session.created_at)});
      if (!room_sid || session.room_sid != room_sid) continue;
      state.room_was_entered = true;
      if (session.left_at)
        state.room_last_left = std::max(state.room_last_left.value_or(*session.left_at), *session.left_at);
    }
    std::ranges::sort(state.sessions, {}, [](const Session& s) { return std::pair(s.created_at, s.session_id); });
    return state;
  }

  Changes apply(Changes changes) {
    EXPECT_TRUE(call_.is_active() || (changes.call.ended_at == call_.ended_at && !changes.call.is_active()));
    EXPECT_TRUE(call_.is_active() || changes.call.end_reason == call_.end_reason);
    EXPECT_EQ(changes.delete_room && !changes.call.is_active(), changes.delete_room);
    call_ = changes.call;
    for (const auto& changed : changes.sessions) {
      const auto known = std::ranges::find(sessions_, changed.session_id, &Session::session_id);
      if (known == sessions_.end()) {
        sessions_.push_back(changed);
      } else {
        EXPECT_TRUE(known->is_open() || !changed.is_open()) << "an ended session never reopens";
        expect_nothing_else_changes(*known, changed);
        *known = changed;
      }
    }
    count_participants();
    expect_constraints();
    return changes;
  }

  // What decisions do not write (database/repositories/call_decided.cpp).
  static void expect_nothing_else_changes(const Session& before, const Session& after) {
    EXPECT_EQ(after.call_id, before.call_id);
    EXPECT_EQ(after.user_id, before.user_id);
    EXPECT_EQ(after.name, before.name);
    EXPECT_EQ(after.token_expires_at, before.token_expires_at);
    if (!after.is_open()) return;
    EXPECT_EQ(after.created_at, before.created_at);
    EXPECT_EQ(after.disconnect_reason, std::nullopt);
  }

  void count_participants() {
    call_.participant_count = static_cast<int>(std::ranges::count(sessions_, SessionStatus::active, &Session::status));
  }

  // What the database would refuse, and what api.md says of the order of times.
  void expect_constraints() const {
    EXPECT_EQ(call_.is_active(), !call_.ended_at);
    EXPECT_EQ(call_.is_active(), !call_.end_reason);
    if (call_.ended_at) EXPECT_LE(call_.started_at, *call_.ended_at);
    for (const auto& session : sessions_) {
      SCOPED_TRACE("session of " + session.user_id + " on " + session.participant_sid.value_or("no connection"));
      expect_session(session);
      for (const auto& other : sessions_) {
        if (&other == &session) continue;
        const bool same_place = session.is_open() && other.status == session.status;
        EXPECT_FALSE(same_place && other.user_id == session.user_id) << "two open sessions of one user";
        EXPECT_FALSE(session.participant_sid && other.participant_sid == session.participant_sid);
      }
    }
  }

  void expect_session(const Session& session) const {
    EXPECT_EQ(session.is_open(), !session.left_at);
    EXPECT_EQ(session.is_open(), !session.end_reason);
    EXPECT_EQ(session.is_open(), !session.end_evidence);
    EXPECT_TRUE(call_.is_active() || !session.is_open()) << "an open session in an ended call";
    if (session.status == SessionStatus::active) EXPECT_TRUE(session.joined_at && session.participant_sid);
    if (session.status == SessionStatus::pending) EXPECT_TRUE(!session.joined_at && !session.participant_sid);
    if (!session.left_at) return;
    EXPECT_LE(session.created_at, *session.left_at);
    if (session.joined_at) EXPECT_LE(*session.joined_at, *session.left_at);
    if (call_.ended_at) EXPECT_LE(*session.left_at, *call_.ended_at);
  }

  std::uint64_t ids_ = 0;
  Call call_;
  std::vector<Session> sessions_;
};

// The end of a session as one value: "reason at milliseconds", or its status while it is open.
inline std::string end_of(const Session& session) {
  if (session.is_open()) return std::string(name_of(session.status));
  return *session.end_reason + " at " + std::to_string((*session.left_at - at(0)).count());
}

inline std::string end_of(const Call& call) {
  if (call.is_active()) return "active";
  return *call.end_reason + " at " + std::to_string((*call.ended_at - at(0)).count());
}

}  // namespace call_service::rules_test
