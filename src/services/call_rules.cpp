#include "services/call_rules.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "services/call_generations.hpp"

namespace call_service::rules {

namespace {

using livekit::EventType;
using models::Call;
using models::CallStatus;
using models::EndEvidence;
using models::Session;
using models::SessionStatus;

// The end of a session: why, when, and from what that is known.
struct SessionEnd {
  Timestamp at;
  std::string_view reason;
  EndEvidence evidence;
};

// LiveKit's clock may be ahead of ours a little, and its times are kept as told, or the order of arrival would show in
// them. A time from further ahead is none.
constexpr Seconds most_ahead{60};
Timestamp believable(Timestamp told, Timestamp arrived_at) {
  return told <= arrived_at + most_ahead ? told : arrived_at;
}

Timestamp joined_at_of(const ParticipantFact& fact) {
  return believable(fact.joined_at.value_or(fact.occurred_at), fact.arrived_at);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Works on a copy of the state, and knows which sessions it touched.
class Decision {
 public:
  explicit Decision(const CallState& state) : state_(state), call_(state.call), sessions_(state.sessions) {
    touched_.resize(sessions_.size());
  }

  void room_event(const RoomFact& fact) {
    const Generation generation = place(call_, fact);
    if (generation != Generation::current) end_former_generations(fact);
    if (!call_.is_active()) {
      delete_room_ = fact.type == EventType::room_started;
      return;
    }
    if (fact.type == EventType::room_finished && generation != Generation::older) finish_room(fact);
  }

  void participant_event(const ParticipantFact& fact, Uuid new_id) {
    const Generation generation = place(call_, fact);
    if (!call_.is_active()) {
      delete_room_ = fact.type == EventType::participant_joined;
      const bool known = find([&](const Session& s) { return s.participant_sid == fact.sid; }) != nullptr;
      if (!known && fact.joined_at.value_or(fact.occurred_at) > *call_.ended_at) return;
    }
    Session& session = session_of(fact, new_id);
    if (fact.type == EventType::participant_joined) {
      participant_joined(session, fact);
    } else {
      participant_left(session, fact);
    }
    if (generation != Generation::current) end_former_generations(fact);
    order_connections(fact.identity);
    if (generation == Generation::current) look_again_at_the_finish();
  }

  void end_call(Timestamp at, std::string_view reason, EndEvidence evidence) {
    call_.status = CallStatus::ended;
    call_.end_reason = reason;
    call_.ended_at = std::max({at, call_.started_at, state_.latest_moment.value_or(at)});
    call_.closes_at.reset();
    // This very fact may have ended some later than that.
    for (const auto& session : sessions_) call_.ended_at = std::max(*call_.ended_at, session.left_at.value_or(at));
    for (auto& session : sessions_) {
      if (session.is_open()) end(session, {*call_.ended_at, "call_ended", evidence});
    }
  }

  // Late, it ends after what has been seen since, so that nothing known is bent.
  void expire(Timestamp at, Timestamp now) {
    for (const auto& session : sessions_) {
      if (session.is_open() && session.joined_at) at = std::max(at, std::min(*session.joined_at, now));
    }
    end_call(at, "max_duration", EndEvidence::timer);
    delete_room_ = true;
  }

  Changes result() && {
    Changes changes{
        .call = std::move(call_), .sessions = {}, .delete_room = delete_room_, .remove = std::move(remove_)};
    if (changes.delete_room) changes.call.room_deletion = "pending";
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      if (touched_[i]) changes.sessions.push_back(std::move(sessions_[i]));
    }
    return changes;
  }

 private:
  // Connections to a former generation ended when the next was made, at the latest.
  void end_former_generations(const RoomFact& fact) {
    for (auto& session : sessions_) {
      const bool unsure = session.end_evidence == EndEvidence::generation || ended_with_room(session);
      const auto next = succeeded_at(call_, session);
      if (!next || (session.status != SessionStatus::active && !unsure)) continue;
      if (call_.ended_at && *next >= *call_.ended_at) continue;
      end(session, {believable(*next, fact.arrived_at), "reconciled", EndEvidence::generation});
    }
  }

  // Known only from the end of its room, which is the weakest there is to know.
  bool ended_with_room(const Session& session) const {
    return session.end_evidence == EndEvidence::room && call_.end_reason == "room_finished";
  }

  Session* find(auto&& condition) {
    const auto found = std::ranges::find_if(sessions_, condition);
    return found != sessions_.end() ? &*found : nullptr;
  }

  // The one bound to the sid; else the one named in the attributes; else, without that attribute, the pending one; else
  // new.
  Session& session_of(const ParticipantFact& fact, Uuid new_id) {
    if (Session* bound = find([&](const Session& s) { return s.participant_sid == fact.sid; })) return *bound;
    const auto is_theirs = [&](const Session& s) { return s.user_id == fact.identity && !s.participant_sid; };
    Session* unbound = nullptr;
    if (fact.session_id) {
      unbound = find([&](const Session& s) {
        const bool ended_after = s.left_at && *s.left_at > fact.joined_at.value_or(fact.moment());
        return is_theirs(s) && s.session_id == *fact.session_id && (s.status == SessionStatus::pending || ended_after);
      });
    } else {
      unbound = find([&](const Session& s) { return is_theirs(s) && s.status == SessionStatus::pending; });
    }
    return bind(unbound != nullptr ? *unbound : make_session(fact, new_id), fact);
  }

  Session& make_session(const ParticipantFact& fact, Uuid new_id) {
    Session session{.session_id = new_id, .call_id = call_.call_id, .user_id = fact.identity, .name = fact.identity};
    for (const auto& other : sessions_) {
      if (other.user_id == fact.identity) session.name = other.name;
    }
    session.created_at = std::min(fact.joined_at.value_or(fact.moment()), fact.arrived_at);
    touched_.push_back(true);
    return sessions_.emplace_back(std::move(session));
  }

  Session& bind(Session& session, const ParticipantFact& fact) {
    session.participant_sid = fact.sid;
    session.room_sid = fact.room_sid;
    touch(session);
    return session;
  }

  void participant_joined(Session& session, const ParticipantFact& fact) {
    const Timestamp joined_at = joined_at_of(fact);
    if (session.status == SessionStatus::pending) {
      session.joined_at = joined_at;
      session.status = SessionStatus::active;
      touch(session);
      if (!call_.is_active()) end_with_call(session);
    } else if (!session.joined_at) {
      session.joined_at = std::min(joined_at, *session.left_at);
      touch(session);
      // The user had left before the connection was known, so nothing could be removed then.
      if (session.end_reason == "left" && session.end_evidence == EndEvidence::api && call_.is_active())
        remove_ = session;
    }
  }

  void participant_left(Session& session, const ParticipantFact& fact) {
    touch(session);
    if (!session.disconnect_reason) session.disconnect_reason = lower(fact.disconnect_reason);
    // participant_left is of a connection that was active; an aborted one never was.
    if (!session.joined_at && fact.type == EventType::participant_left) {
      session.joined_at = joined_at_of(fact);
      if (session.left_at) session.joined_at = std::min(*session.joined_at, *session.left_at);
    }
    if (session.is_open() && !call_.is_active() && !is_provisional(EndEvidence::room)) return end_with_call(session);
    if (!session.is_open() && !is_provisional(*session.end_evidence)) return;
    if (session.joined_at) session.joined_at = std::min(*session.joined_at, fact.arrived_at);
    // An aborted connection has no joined_at; when it began bounds its end all the same.
    Timestamp at = std::max(fact.moment(), std::min(fact.joined_at.value_or(fact.moment()), fact.arrived_at));
    if (call_.ended_at) at = std::min(at, *call_.ended_at);
    end(session, {at, end_reason(fact), EndEvidence::departure});
  }

  // Whether an end known from this is replaced by what the connection's own departure tells.
  bool is_provisional(EndEvidence evidence) const {
    switch (evidence) {
      case EndEvidence::successor:
      case EndEvidence::generation:
      case EndEvidence::reconciler:
        return true;
      case EndEvidence::room:
        return call_.is_active() || call_.end_reason == "room_finished";
      case EndEvidence::api:
      case EndEvidence::timer:
      case EndEvidence::departure:
        return false;
    }
    return false;
  }

  static std::string_view end_reason(const ParticipantFact& fact) {
    if (fact.type == EventType::participant_connection_aborted) return "connection_aborted";
    if (fact.disconnect_reason == "PARTICIPANT_REMOVED") return "removed";
    if (fact.disconnect_reason == "DUPLICATE_IDENTITY") return "replaced";
    if (fact.disconnect_reason == "ROOM_DELETED" || fact.disconnect_reason == "ROOM_CLOSED") return "call_ended";
    return "left";
  }

  // Of a user's connections each but the latest ended when the next began, unless something better is known.
  void order_connections(const std::string& user_id) {
    std::vector<Session*> connections;
    for (auto& session : sessions_) {
      if (session.user_id == user_id && session.participant_sid && session.joined_at) connections.push_back(&session);
    }
    std::ranges::sort(connections, {}, [](const Session* s) { return std::pair(*s->joined_at, *s->participant_sid); });
    for (std::size_t i = 0; i + 1 < connections.size(); ++i) {
      Session& session = *connections[i];
      const Timestamp next = *connections[i + 1]->joined_at;
      const bool open = session.is_open();
      const bool known_less_well = session.end_evidence == EndEvidence::generation || ended_with_room(session);
      const bool moved = session.end_evidence == EndEvidence::successor && session.left_at != next;
      if (open || known_less_well || moved) end(session, {next, "replaced", EndEvidence::successor});
    }
  }

  void finish_room(const RoomFact& fact) {
    if (!call_.room_finished_at) call_.room_finished_at = fact.moment();
    if (somebody_is_on_the_way()) {
      const Timestamp issued = *call_.token_issued_at;
      call_.closes_at = (is_ahead(issued, fact.arrived_at) ? fact.arrived_at : issued) + token_grace;
    } else {
      end_call(*call_.room_finished_at, "room_finished", EndEvidence::room);
    }
  }

  // All who were in the newest generation had left, and somebody got a token after that.
  bool somebody_is_on_the_way() const {
    bool entered = state_.room_was_entered;
    auto last_left = state_.room_last_left;
    for (const auto& session : sessions_) {
      if (session.room_sid != call_.room_sid) continue;
      if (session.is_open()) return false;
      entered = true;
      last_left = std::max(last_left.value_or(*session.left_at), *session.left_at);
    }
    return entered && call_.token_issued_at && *call_.token_issued_at > last_left;
  }

  // What is told late of a finished room may show that nobody was on the way when it finished. But who got a token
  // since then (createdAt has whole seconds) is on the way, and a connection that began since then says that a room is
  // there.
  void look_again_at_the_finish() {
    if (!call_.is_active() || !call_.closes_at || !call_.room_finished_at) return;
    const Timestamp finished_at = *call_.room_finished_at;
    const bool token_since = *call_.token_issued_at >= finished_at + Seconds(1);
    const bool began_since =
        find([&](const Session& s) { return s.room_sid == call_.room_sid && s.joined_at > finished_at; }) != nullptr;
    if (!token_since && !began_since && !somebody_is_on_the_way())
      end_call(finished_at, "room_finished", EndEvidence::room);
  }

  void end_with_call(Session& session) {
    const bool by_room = call_.end_reason == "room_finished";
    const bool by_timer = call_.end_reason == "never_joined" || call_.end_reason == "max_duration";
    const auto evidence = by_room ? EndEvidence::room : by_timer ? EndEvidence::timer : EndEvidence::api;
    end(session, {*call_.ended_at, "call_ended", evidence});
  }

  // Clocks differ: the end is bent to stand after the beginning, and within an ended call both are bent to stand before
  // its end.
  void end(Session& session, const SessionEnd& end) {
    session.status = SessionStatus::ended;
    session.end_reason = end.reason;
    session.end_evidence = end.evidence;
    session.left_at = std::max({end.at, session.created_at, session.joined_at.value_or(end.at)});
    if (call_.ended_at) {
      session.left_at = std::min(*session.left_at, *call_.ended_at);
      session.created_at = std::min(session.created_at, *session.left_at);
      if (session.joined_at) session.joined_at = std::min(*session.joined_at, *session.left_at);
    }
    touch(session);
  }

  void touch(const Session& session) { touched_[static_cast<std::size_t>(&session - sessions_.data())] = true; }

  const CallState& state_;
  Call call_;
  std::vector<Session> sessions_;
  std::vector<bool> touched_;
  bool delete_room_ = false;
  std::optional<Session> remove_;
};

}  // namespace

Timestamp RoomFact::moment() const {
  const bool prompt = arrived_at >= occurred_at && arrived_at - occurred_at < Seconds(2);
  return prompt ? arrived_at : std::min(occurred_at, arrived_at);
}

Changes decide(const CallState& state, const RoomFact& fact) {
  Decision decision(state);
  decision.room_event(fact);
  return std::move(decision).result();
}

Changes decide(const CallState& state, const ParticipantFact& fact, Uuid new_id) {
  Decision decision(state);
  decision.participant_event(fact, new_id);
  return std::move(decision).result();
}

Changes close(const CallState& state) {
  Decision decision(state);
  decision.end_call(*state.call.closes_at, "room_finished", EndEvidence::room);
  return std::move(decision).result();
}

Changes expire(const CallState& state, Timestamp at, Timestamp now) {
  Decision decision(state);
  decision.expire(at, now);
  return std::move(decision).result();
}

}  // namespace call_service::rules
