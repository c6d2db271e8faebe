// The guarded commands that hand out tokens: start and join.

#include "base/ranges.hpp"
#include "database/models/columns.hpp"
#include "database/repositories/call_guard.hpp"
#include "database/repositories/call_repository.hpp"
#include "database/repositories/room_creation_repository.hpp"
#include "database/repositories/timeline_repository.hpp"
#include "database/repositories/user_repository.hpp"

namespace call_service::repositories {

namespace {

using db::column_list;
using db::Type;
using models::Call;
using models::Session;

// Who may enter by user token: anybody if the call is open, else the caller, who is listed, and who was let in before.
constexpr std::string_view may_enter = R"((i.acting_user IS NULL OR c.user_ids IS NULL OR c.caller_id = i.acting_user
  OR EXISTS (SELECT 1 FROM {call_users} u WHERE u.call_id = c.call_id AND u.user_id = i.acting_user {one_by_one})
  OR EXISTS (SELECT 1 FROM {sessions} s WHERE s.call_id = c.call_id AND s.user_id = i.acting_user {one_by_one})))";

const std::vector<db::Column>& join_input() {
  static const std::vector<db::Column> columns{{"call_id", Type::uuid},        {"user_id", Type::text},
                                               {"acting_user", Type::text},    {"name", Type::text},
                                               {"first_name", Type::text},     {"session_id", Type::uuid},
                                               {"now", Type::timestamp},       {"token_expires_at", Type::timestamp},
                                               {"closes_at", Type::timestamp}, {"required_caller", Type::text},
                                               {"actor", Type::text},          {"actor_type", Type::text}};
  return columns;
}

// A condition on `c`, the call, and `i`, the input, under which a token is handed out.
std::string may_join() {
  return "c.status = 'active' AND (i.required_caller IS NULL OR c.caller_id = i.required_caller) AND " +
         std::string(may_enter);
}

// What a call and a session begin with; the rest has its default.
const db::Columns<Call>& begun_call() {
  static const db::Columns<Call> columns{"call_id",  "caller_id",        "status",   "started_at",
                                         "user_ids", "max_participants", "metadata", "token_issued_at"};
  return columns;
}

const db::Columns<Session>& begun_session() {
  static const db::Columns<Session> columns{"session_id", "call_id",    "user_id",         "name",
                                            "status",     "created_at", "token_expires_at"};
  return columns;
}

db::Statement insert_call(std::string_view conflict, std::vector<Type> output) {
  return {.name = "insert_call",
          .input = begun_call().input(),
          .sql = "INSERT INTO {calls} (" + begun_call().list() + ") SELECT " + begun_call().list("i") +
                 " FROM input i WHERE true" + std::string(conflict),
          .output = std::move(output)};
}

db::Statement insert_call_users(std::string_view condition) {
  return {.name = "insert_call_users",
          .input = {{"call_id", Type::uuid}, {"user_id", Type::text}, {"position", Type::integer}},
          .sql =
              "INSERT INTO {call_users} (call_id, user_id, position) SELECT i.call_id, i.user_id, i.position FROM "
              "input i WHERE " +
              std::string(condition)};
}

db::Statement insert_session() {
  return {.name = "insert_session",
          .input = begun_session().input(),
          .sql = "INSERT INTO {sessions} (" + begun_session().list() + ") SELECT " + begun_session().list("i") +
                 " FROM input i"};
}

// Locks the call and tells what it was before: its columns and whether the user may enter.
db::Statement lock_for_join() {
  return {.name = "lock_call_to_join",
          .input = join_input(),
          .sql = "SELECT c.call_id, " + column_list<Call>("c") + ", " + std::string(may_enter) +
                 std::string(from_calls) + "{lock:c}",
          .output = db::keyed_types<Call>({Type::boolean}),
          .goes_on = is_active};
}

// Whether there is room for the user, who may be in the call already.
constexpr std::string_view has_room = R"((c.max_participants IS NULL
  OR EXISTS (SELECT 1 FROM {sessions} s
    WHERE s.call_id = i.call_id AND s.user_id = i.user_id AND s.status <> 'ended' {one_by_one})
  OR (SELECT count(DISTINCT s.user_id) FROM {sessions} s WHERE s.call_id = i.call_id AND s.status <> 'ended')
    < c.max_participants))";

// Whether the next statement makes a session.
std::string needs_session() {
  return may_join() + " AND " + std::string(has_room) +
         " AND 'pending' NOT IN (SELECT s.status FROM {sessions} s WHERE s.call_id = i.call_id AND s.user_id = "
         "i.user_id)";
}

// The user's pending session gets the fresh token, or a new one is made if there is room. No row: no token.
db::Statement hold_pending_session() {
  const std::string last_name =
      R"((SELECT s.name FROM {sessions} s WHERE s.call_id = i.call_id AND s.user_id = i.user_id
    ORDER BY s.created_at DESC, s.session_id DESC LIMIT 1))";
  return {.name = "hold_pending_session",
          .input = join_input(),
          .sql =
              "INSERT INTO {sessions} AS t (session_id, call_id, user_id, name, status, created_at, token_expires_at) "
              "SELECT i.session_id, i.call_id, i.user_id, COALESCE(i.name, " +
              last_name + ", i.first_name, i.user_id), 'pending', i.now, i.token_expires_at" + std::string(from_calls) +
              "WHERE " + may_join() + " AND " + std::string(has_room) + R"(
              ON CONFLICT (call_id, user_id) WHERE status = 'pending' DO UPDATE SET
                token_expires_at = excluded.token_expires_at, name = excluded.name
              RETURNING {of:t}call_id, )" +
              db::returning_list<Session>("t"),
          .output = db::keyed_types<Session>()};
}

// Only if a token is handed out: then there is a pending session.
db::Statement touch_joined_call() {
  return {.name = "touch_joined_call",
          .input = join_input(),
          .sql = R"(UPDATE {calls} AS t SET version = t.version + 1,
              token_issued_at = {greatest}(COALESCE(t.token_issued_at, i.now), i.now),
              closes_at = CASE WHEN t.closes_at IS NULL THEN NULL ELSE i.closes_at END)" +
                 std::string(from_calls) + R"(WHERE t.call_id = c.call_id
              AND EXISTS (SELECT 1 FROM {sessions} s
                WHERE s.call_id = i.call_id AND s.user_id = i.user_id AND s.status = 'pending' {one_by_one})
              AND )" +
                 may_join()};
}

std::vector<db::Statement> join_statements() {
  return {lock_for_join(), TimelineRepository::session_entry(join_input(), "session.created", needs_session()),
          hold_pending_session(), touch_joined_call(), RoomCreationRepository::ask()};
}

const db::CommandKind& start_kind() {
  static const db::CommandKind kind{
      .name = "start_call",
      .statements = {UserRepository::ensure(), insert_call("", {}), insert_call_users("true"), insert_session(),
                     TimelineRepository::start(), RoomCreationRepository::ask()}};
  return kind;
}

// A call that has no session yet was made by this very command: others become visible together with their first
// session.
const db::CommandKind& start_chosen_kind() {
  static constexpr std::string_view made_by_this =
      "NOT EXISTS (SELECT 1 FROM {sessions} s WHERE s.call_id = i.call_id {one_by_one})";
  static const db::CommandKind kind = [] {
    db::CommandKind made{
        .name = "start_chosen_call",
        .statements = {UserRepository::ensure_for_new_call(),
                       insert_call(" ON CONFLICT (call_id) DO NOTHING RETURNING call_id", {Type::uuid}),
                       insert_call_users(made_by_this),
                       TimelineRepository::entry(join_input(), "call.started", made_by_this)}};
    append(made.statements, join_statements());
    return made;
  }();
  return kind;
}

const db::CommandKind& join_kind() {
  static const db::CommandKind kind = [] {
    db::CommandKind made{.name = "join_call", .statements = {UserRepository::ensure_for_active_call()}};
    append(made.statements, join_statements());
    return made;
  }();
  return kind;
}

db::Row join_row(const Join& join, const std::optional<std::string>& required_caller) {
  return {join.call_id,
          join.user_id,
          db::to_value(join.acting_user),
          db::to_value(join.name),
          db::to_value(join.first_name),
          join.new_session_id,
          join.now,
          join.token_expires_at,
          join.closes_at,
          db::to_value(required_caller),
          join.actor.id,
          join.actor.type};
}

// `first`: where the statements of join_statements() begin in the kind.
JoinOutcome read_join(const db::CommandResult& result, std::size_t first) {
  JoinOutcome outcome;
  const auto& calls = result.rows[first];
  if (calls.empty()) return outcome;
  outcome.call = db::from_row<Call>(calls.front(), 1);
  outcome.allowed = std::get<bool>(calls.front().back());
  const auto& sessions = result.rows[first + 2];
  if (!sessions.empty()) outcome.session = db::from_row<Session>(sessions.front(), 1);
  return outcome;
}

std::vector<std::string> users_of(const models::Call& call) {
  std::vector<std::string> users{call.caller_id};
  if (call.user_ids) append(users, *call.user_ids);
  return users;
}

db::Rows call_user_rows(const NewCall& started) {
  db::Rows rows;
  if (!started.call.user_ids) return rows;
  for (const auto& user : *started.call.user_ids) {
    rows.push_back({started.call.call_id, user, static_cast<std::int64_t>(rows.size())});
  }
  return rows;
}

// No rows, no statement: where participants create their rooms, nothing is asked for.
db::Rows room_rows(const std::optional<models::RoomCreation>& room, const std::string& user_id) {
  if (!room) return {};
  return {RoomCreationRepository::row_to_ask(*room, user_id)};
}

}  // namespace

Task<void> CallRepository::start(NewCall started) {
  db::Rows users;
  for (const auto& user : users_of(started.call)) users.push_back({user, started.call.started_at});
  const db::Row timeline{started.call.call_id, started.session.session_id, started.actor.id, started.actor.type,
                         started.call.started_at};
  std::vector<db::Rows> inputs{users,
                               {begun_call().row(started.call)},
                               call_user_rows(started),
                               {begun_session().row(started.session)},
                               {timeline},
                               room_rows(started.room, started.session.user_id)};
  co_await run(start_kind(), started.call.call_id, std::move(inputs));
}

Task<StartOutcome> CallRepository::start_chosen(NewCall started, Join join) {
  db::Rows users;
  for (const auto& user : users_of(started.call)) users.push_back({user, join.now, join.call_id});
  const db::Rows joined{join_row(join, started.call.caller_id)};
  std::vector<db::Rows> inputs{
      users,  {begun_call().row(started.call)},  call_user_rows(started), joined, joined, joined, joined,
      joined, room_rows(join.room, join.user_id)};
  const auto result = co_await run(start_chosen_kind(), join.call_id, std::move(inputs));
  co_return StartOutcome{.created = !result.rows[1].empty(), .join = read_join(result, 4)};
}

Task<JoinOutcome> CallRepository::join(Join join) {
  const db::Rows joined{join_row(join, std::nullopt)};
  std::vector<db::Rows> inputs{{{join.user_id, join.now, join.call_id}}, joined, joined, joined, joined,
                               room_rows(join.room, join.user_id)};
  const auto result = co_await run(join_kind(), join.call_id, std::move(inputs));
  co_return read_join(result, 1);
}

}  // namespace call_service::repositories
