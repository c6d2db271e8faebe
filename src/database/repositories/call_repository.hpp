#pragma once

#include <optional>
#include <string>
#include <vector>

#include "database/models/call.hpp"
#include "database/models/intent.hpp"
#include "database/models/room_creation.hpp"
#include "database/models/session.hpp"
#include "database/models/timeline_entry.hpp"
#include "database/models/webhook_event.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

// A call to be started, with the caller's first session.
struct NewCall {
  models::Call call{};
  models::Session session{};
  models::Actor actor{};
  std::optional<models::RoomCreation> room{};  // if we create it
};

// A token about to be handed out to a user for a call.
struct Join {
  Uuid call_id{};
  std::string user_id{};
  std::optional<std::string> acting_user{};  // set: a user token asks, so the call's access list is looked at
  models::Actor actor{};
  std::optional<std::string> name{};        // nullopt: the user's last in this call, else the user id
  std::optional<std::string> first_name{};  // instead of the user id, where the user has no session in it yet
  Uuid new_session_id{};                    // used if the user has no pending session
  Timestamp now{};
  Timestamp token_expires_at{};
  Timestamp closes_at{};                       // if the call waits to close: until when it waits for this token
  std::optional<models::RoomCreation> room{};  // if we create it
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
  models::Actor actor{};
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
  models::Actor ended_by{};
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

// Before and after everything that a database holds.
inline constexpr Timestamp first_moment{Milliseconds(-62'167'219'200'000)};  // 0000-01-01
inline constexpr Timestamp last_moment{Milliseconds(253'402'300'799'999)};   // 9999-12-31

// Which calls a list shows, and where its page begins.
struct CallFilter {
  enum class Scope { all, started_by, involving } scope = Scope::all;
  std::optional<std::string> owner{};      // of started_by and involving: who started it; or has a session or is listed
  std::optional<std::string> caller_id{};  // moreover, this user started it
  std::optional<std::string> other{};      // moreover, this user is involved
  std::optional<std::string> status{};
  Timestamp after = first_moment;  // started later than this
  Timestamp before = last_moment;  // in the list's order before this moment and id: newest first
  Uuid before_id{};
};

struct SessionFilter {
  Uuid call_id{};
  std::optional<std::string> reader{};  // a user token's user
  std::optional<std::string> user_id{};
  std::optional<std::string> status{};
  Timestamp after = first_moment;  // in the list's order after this moment and id: oldest first
  Uuid after_id{};
};

struct SessionList {
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
  models::Call call{};  // without what no decision looks at: who may enter, who started or ended it, its metadata
  // Those the query asked for; all open ones while the call waits to close; and, where the fact is of another
  // generation than the newest, those known to have ended only by a next generation.
  std::vector<models::Session> sessions{};
  bool event_applied = false;
  bool room_was_entered = false;              // somebody was connected to the queried generation
  std::optional<Timestamp> room_last_left{};  // when the last of them left
  std::int64_t last_seq = 0;                  // of its timeline; every entry grows the call's version, too
  std::optional<Timestamp> latest_moment{};   // the latest created_at, joined_at or left_at of all its sessions
};

// An active call, and since when.
struct RunningCall {
  Uuid call_id{};
  Timestamp started_at{};
};

// How often a call's room was deleted.
struct RoomDeletions {
  std::int64_t done = 0;                 // since the moment asked about
  std::optional<Timestamp> last_done{};  // at any time
  bool cover_known_room = false;         // the last was asked for when the newest room that is known was known
};

// What was decided. Written only if the call still has `call.version`, which then grows by one.
struct Change {
  models::Call call{};
  bool writes_end = false;                  // whether the call's status, ended_at or end_reason is another now
  std::vector<models::Session> sessions{};  // changed
  std::vector<models::Session> new_sessions{};
  std::vector<models::Intent> intents{};
  std::optional<models::WebhookEvent> event{};
  std::vector<models::TimelineEntry> timeline{};
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

  // At most `limit`, newest first.
  Task<std::vector<models::Call>> list(CallFilter filter, int limit);
  // At most `limit`, oldest first; nullopt: no such call.
  Task<std::optional<SessionList>> list_sessions(SessionFilter filter, int limit);

  Task<std::optional<CallState>> load_state(StateQuery query);
  // False: the guard was lost, nothing is written; load and decide again.
  Task<bool> apply(Change change);

  Task<RoomDeletions> room_deletions(Uuid call_id, Timestamp since);

  // Active calls that were started at `started` or before, at most `limit`, oldest first.
  Task<std::vector<RunningCall>> running_since(Timestamp started, int limit);
};

}  // namespace call_service::repositories
