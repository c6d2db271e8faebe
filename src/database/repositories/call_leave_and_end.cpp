// The guarded commands that end sessions: leave and end.

#include "database/repositories/call_guard.hpp"
#include "database/repositories/call_repository.hpp"
#include "database/repositories/timeline_repository.hpp"
#include "database/repositories/user_repository.hpp"

namespace call_service::repositories {

namespace {

using db::column_list;
using db::Type;
using models::Call;
using models::Session;

const std::vector<db::Column>& leave_input() {
  static const std::vector<db::Column> columns{
      {"call_id", Type::uuid},    {"user_id", Type::text},  {"session_id", Type::uuid}, {"actor", Type::text},
      {"actor_type", Type::text}, {"now", Type::timestamp}, {"intent_id", Type::uuid}};
  return columns;
}

const db::CommandKind& leave_kind() {
  static const std::string theirs =
      "s.call_id = i.call_id AND s.user_id = i.user_id AND (i.session_id IS NULL OR s.session_id = i.session_id)";
  static const db::CommandKind kind{
      .name = "leave_call",
      .statements = {
          {.name = "lock_call_to_leave",
           .input = leave_input(),
           .sql = "SELECT c.call_id, " + column_list<Call>("c") + std::string(from_calls) + "{lock:c}",
           .output = db::keyed_types<Call>()},
          {.name = "read_session_that_leaves",
           .input = leave_input(),
           .sql = "SELECT s.call_id, " + column_list<Session>("s") +
                  R"( FROM input i JOIN {sessions} s ON s.session_id = (
              SELECT s.session_id FROM {sessions} s WHERE )" +
                  theirs + R"(
              ORDER BY CASE s.status WHEN 'active' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END, s.created_at DESC, s.session_id DESC
              LIMIT 1))",
           .output = db::keyed_types<Session>()},
          {.name = "request_removal",
           .input = leave_input(),
           .sql =
               R"(INSERT INTO {outbox} (intent_id, call_id, kind, identity, participant_sid, created_at, due_at, attempts)
              SELECT i.intent_id, i.call_id, 'remove_participant', s.user_id, s.participant_sid, i.now, i.now, 0
              FROM input i JOIN {by_key:sessions:s} )" +
               theirs + " {key:s} WHERE s.status = 'active' RETURNING call_id",
           .output = {Type::uuid}},
          // Only if there is something to end: a repetition changes nothing.
          {.name = "touch_left_call",
           .input = leave_input(),
           .sql = R"(UPDATE {calls} AS t SET version = t.version + 1, participant_count = (
              SELECT count(*) FROM {sessions} s WHERE s.call_id = t.call_id AND s.status = 'active' AND NOT ()" +
                  theirs + "))" + std::string(from_calls) + R"(WHERE t.call_id = c.call_id AND c.status = 'active'
              AND EXISTS (SELECT 1 FROM {sessions} s WHERE s.status <> 'ended' AND )" +
                  theirs + " {one_by_one})"},
          TimelineRepository::leave(leave_input(), theirs),
          {.name = "end_sessions_that_leave",
           .input = leave_input(),
           // LiveKit's clock may be ahead: its joined_at is bent to ours, not ours to it.
           .sql = R"(UPDATE {sessions} AS t SET status = 'ended', end_reason = 'left', end_evidence = 'api',
              left_at = {greatest}(i.now, t.created_at),
              joined_at = CASE WHEN t.joined_at > {greatest}(i.now, t.created_at) THEN {greatest}(i.now, t.created_at)
                ELSE t.joined_at END
              FROM input i JOIN {by_key:sessions:s} )" +
                  theirs +
                  " {key:s} WHERE t.session_id = s.session_id AND s.status <> 'ended' RETURNING {of:t}call_id, " +
                  db::returning_list<Session>("t"),
           .output = db::keyed_types<Session>()}}};
  return kind;
}

const std::vector<db::Column>& end_input() {
  static const std::vector<db::Column> columns{{"call_id", Type::uuid},  {"required_caller", Type::text},
                                               {"ended_by", Type::text}, {"ended_by_type", Type::text},
                                               {"now", Type::timestamp}, {"intent_id", Type::uuid}};
  return columns;
}

const db::CommandKind& end_kind() {
  static const std::string may_end =
      "c.status = 'active' AND (i.required_caller IS NULL OR c.caller_id = i.required_caller)";
  static const db::CommandKind kind{
      .name = "end_call",
      .statements = {
          UserRepository::ensure_for_active_call(),
          {.name = "lock_call_to_end",
           .input = end_input(),
           .sql = "SELECT c.call_id, " + column_list<Call>("c") + std::string(from_calls) + "{lock:c}",
           .output = db::keyed_types<Call>(),
           .goes_on = is_active},
          TimelineRepository::end(end_input(), may_end),
          {.name = "end_call",
           .input = end_input(),
           // Replicas' clocks differ a little; what happened before the end stays before it.
           .sql = R"(UPDATE {calls} AS t SET status = 'ended', end_reason = 'ended', ended_by = i.ended_by,
              ended_by_type = i.ended_by_type, room_deletion = 'pending', participant_count = 0, closes_at = NULL,
              version = t.version + 1,
              ended_at = {greatest}(i.now, t.started_at, COALESCE((
                SELECT max({greatest}(s.created_at, COALESCE(s.left_at, s.created_at)))
                FROM {sessions} s WHERE s.call_id = t.call_id), i.now)))" +
                  std::string(from_calls) + "WHERE t.call_id = c.call_id AND " + may_end},
          {.name = "end_sessions_of_ended_call",
           .input = end_input(),
           .sql = R"(UPDATE {sessions} AS t SET status = 'ended', end_reason = 'call_ended', end_evidence = 'api',
              left_at = c.ended_at,
              joined_at = CASE WHEN t.joined_at > c.ended_at THEN c.ended_at ELSE t.joined_at END)" +
                  std::string(from_calls) + R"(
              JOIN {by_key:sessions:s} s.call_id = i.call_id AND s.status <> 'ended' {key:s}
              WHERE t.session_id = s.session_id AND c.status = 'ended')"},
          {.name = "request_room_deletion",
           .input = end_input(),
           // Once: the deletion of a call that had ended before is under way or done.
           .sql = R"(INSERT INTO {outbox} (intent_id, call_id, kind, created_at, due_at, attempts)
              SELECT i.intent_id, i.call_id, 'delete_room', i.now, i.now, 0)" +
                  std::string(from_calls) + R"(WHERE c.room_deletion = 'pending'
              ON CONFLICT (call_id) WHERE kind = 'delete_room' DO NOTHING)"},
          {.name = "read_ended_call",
           .input = end_input(),
           // What has just ended has not ended before now.
           .sql = "SELECT c.call_id, " + column_list<Call>("c") + std::string(from_calls) + "WHERE c.ended_at >= i.now",
           .output = db::keyed_types<Call>()}}};
  return kind;
}

}  // namespace

Task<LeaveOutcome> CallRepository::leave(Leave leave) {
  const db::Rows input{{leave.call_id, leave.user_id, db::to_value(leave.session_id), leave.actor.id, leave.actor.type,
                        leave.now, leave.intent_id}};
  std::vector<db::Rows> inputs(leave_kind().statements.size(), input);
  const auto result = co_await run(leave_kind(), leave.call_id, std::move(inputs));

  LeaveOutcome outcome;
  if (result.rows[0].empty()) co_return outcome;
  outcome.call = db::from_row<Call>(result.rows[0].front(), 1);
  outcome.removal_requested = !result.rows[2].empty();
  if (result.rows[1].empty()) co_return outcome;
  outcome.session = db::from_row<Session>(result.rows[1].front(), 1);
  for (const auto& row : result.rows.back()) {
    auto ended = db::from_row<Session>(row, 1);
    if (ended.session_id == outcome.session->session_id) outcome.session = std::move(ended);
  }
  co_return outcome;
}

Task<EndOutcome> CallRepository::end(End end) {
  const db::Rows input{
      {end.call_id, db::to_value(end.required_caller), end.ended_by.id, end.ended_by.type, end.now, end.intent_id}};
  std::vector<db::Rows> inputs(end_kind().statements.size(), input);
  // On whose behalf a service key ends it may be somebody new; a user who ends is the caller.
  const bool may_be_new = end.ended_by.type == "user" && !end.required_caller;
  inputs[0] = may_be_new ? db::Rows{{end.ended_by.id, end.now, end.call_id}} : db::Rows{};
  const auto result = co_await run(end_kind(), end.call_id, std::move(inputs));

  EndOutcome outcome;
  if (result.rows[1].empty()) co_return outcome;
  outcome.call = db::from_row<Call>(result.rows[1].front(), 1);
  outcome.ended_now =
      outcome.call->is_active() && (!end.required_caller || outcome.call->caller_id == *end.required_caller);
  if (outcome.ended_now) outcome.call = db::from_row<Call>(result.rows.back().front(), 1);
  co_return outcome;
}

}  // namespace call_service::repositories
