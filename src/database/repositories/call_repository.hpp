#pragma once

#include <optional>
#include <string>
#include <vector>

#include "database/models/call.hpp"
#include "database/models/intent.hpp"
#include "database/models/session.hpp"
#include "database/models/webhook_event.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

// A call to be started, with the caller's first session.
struct NewCall {
  models::Call call{};
  models::Session session{};
};

// A token about to be handed out to a user for a call.
struct Join {
  Uuid call_id{};
  std::string user_id{};
  std::optional<std::string> acting_user{};  // set: a user token asks, so the call's access list is looked at
  std::optional<std::string> name{};         // nullopt: the user's last in this call, else the user id
  std::optional<std::string> first_name{};   // instead of the user id, where the user has no session in it yet
  Uuid new_session_id{};                     // used if the user has no pending session
  Timestamp now{};
  Timestamp token_expires_at{};
  Timestamp closes_at{};  // if the call waits to close: until when it waits for this token
};

struct JoinOutcome {
  std::optional<models::Call> call{};        // nullopt: no such call
  bool allowed = false;                      // by the access list
  std::optional<models::Session> session{};  // the pending one; nullopt: refused, or the call has ended or is full
};

struct StartOutcome {
  bool created = false;
  JoinOutcome join;
};

struct Leave {
  Uuid call_id{};
  std::string user_id{};
  std::optional<Uuid> session_id{};  // only this one
  Timestamp now{};
  Uuid intent_id{};  // of the removal of the connection, if there is one
};

struct LeaveOutcome {
  std::optional<models::Call> call{};  // nullopt: no such call
  std::optional<models::Session>
      session;  // that was active, else pending, else the newest; nullopt: never in this call
  bool removal_requested = false;
};

struct End {
  Uuid call_id{};
  std::optional<std::string> required_caller{};  // set: only if this user is the caller
  std::string ended_by{};
  std::string ended_by_type{};
  Timestamp now{};
  Uuid intent_id{};  // of the deletion of the room
};

struct EndOutcome {
  std::optional<models::Call> call{};  // as it is now; nullopt: no such call
  bool ended_now = false;
};

struct CallWithSessions {
  models::Call call{};
  bool allowed = false;  // the reader is the caller, listed, or has a session in it
  std::vector<models::Session> sessions{};
};

// Which rows of a call a decision needs.
struct StateQuery {
  Uuid call_id{};
  std::optional<std::string> event_id{};         // is this one applied already?
  std::optional<std::string> identity{};         // all sessions of this user
  std::optional<std::string> participant_sid{};  // the session of this connection
  std::optional<std::string> room_sid{};         // facts of this generation; open sessions of others
  bool all_open = false;                         // all open sessions
};

// A call as a decision sees it (services/call_rules.hpp).
struct CallState {
  models::Call call{};
  std::vector<models::Session> sessions{};  // those the query asked for
  bool event_applied = false;
  bool room_was_entered = false;              // somebody was connected to the queried generation
  bool room_has_active = false;               // somebody is, as far as we know
  std::optional<Timestamp> room_last_left{};  // when the last of them left
  std::optional<Timestamp> latest_moment{};   // the latest created_at, joined_at or left_at of all its sessions
};

// What was decided. Written only if the call still has `call.version`, which then grows by one.
struct Change {
  models::Call call{};
  std::vector<models::Session> sessions{};  // new or changed
  std::vector<models::Intent> intents{};
  std::optional<models::WebhookEvent> event{};
  Timestamp now{};
};

class CallRepository : public Repository<models::Call> {
 public:
  using Repository::Repository;

  // For a call id that the service made itself.
  Task<void> start(NewCall started);
  // For a call id that a client chose, who may have used it before: then this is the caller's join.
  Task<StartOutcome> start_chosen(NewCall started, Join join);
  Task<JoinOutcome> join(Join join);
  Task<LeaveOutcome> leave(Leave leave);
  Task<EndOutcome> end(End end);

  // `reader`: a user token's user. At most `limit` sessions, oldest first.
  Task<std::optional<CallWithSessions>> find(Uuid call_id, std::optional<std::string> reader, int limit);

  Task<std::optional<CallState>> load_state(StateQuery query);
  // False: the guard was lost, nothing is written; load and decide again.
  Task<bool> apply(Change change);

  // Active calls whose closes_at has come, at most `limit`.
  Task<std::vector<Uuid>> due_to_close(Timestamp now, int limit);
};

}  // namespace call_service::repositories
