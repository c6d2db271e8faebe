// What is read of a call, and the decided commands: rules are applied to what was read, and the result is written only
// if the call has not changed meanwhile.

#include <algorithm>
#include <functional>
#include <span>

#include "base/ranges.hpp"
#include "database/models/columns.hpp"
#include "database/repositories/access.hpp"
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

const db::CommandKind& find_kind() {
  static const std::vector<db::Column> input{{"call_id", Type::uuid}, {"reader", Type::text}, {"page", Type::integer}};
  static const db::CommandKind kind{
      .name = "find_call",
      .access = db::CommandKind::Access::read,
      .sharing = db::CommandKind::Sharing::commit,
      .statements = {{.name = "find_call",
                      .input = input,
                      .sql = "SELECT c.call_id, " + column_list<Call>("c") + ", " + std::string(may_read) +
                             " FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c}",
                      .output = db::keyed_types<Call>({Type::boolean})},
                     {.name = "find_sessions",
                      .input = input,
                      .sql = "SELECT s.call_id, " + column_list<Session>("s") + R"(
                        FROM input i JOIN {sessions} s ON s.call_id = i.call_id
                        ORDER BY s.created_at, s.session_id LIMIT (SELECT max(page) FROM input))",
                      .output = db::keyed_types<Session>()}}};
  return kind;
}

// One room's facts in one row; `latest` over all sessions of the call.
constexpr std::string_view room_facts = R"(SELECT i.call_id,
    EXISTS (SELECT 1 FROM {webhook_events} e WHERE e.call_id = i.call_id AND e.event_id = i.event_id {one_by_one}),
    f.was_entered, f.last_left, f.latest,
    COALESCE((SELECT max(t.seq) FROM {timeline} t WHERE t.call_id = i.call_id), 0)
  FROM input i, {lateral} (
    SELECT COALESCE(max(CASE WHEN s.room_sid = i.room_sid THEN 1 ELSE 0 END), 0) = 1 AS was_entered,
      max(CASE WHEN s.room_sid = i.room_sid THEN s.left_at ELSE NULL END) AS last_left,
      max({greatest}(s.created_at, COALESCE(s.left_at, s.created_at))) AS latest
    FROM {sessions} s WHERE s.call_id = i.call_id) f)";

// What decisions look at. Metadata may be long, and events are many.
const db::Columns<Call>& of_state() {
  static const db::Columns<Call> columns{
      "call_id",  "status",          "started_at",      "ended_at",  "end_reason", "room_deletion",    "version",
      "room_sid", "room_created_at", "token_issued_at", "closes_at", "entered_at", "room_finished_at", "former_rooms"};
  return columns;
}

const db::CommandKind& load_kind() {
  static const std::vector<db::Column> input{{"call_id", Type::uuid},  {"event_id", Type::text},
                                             {"identity", Type::text}, {"participant_sid", Type::text},
                                             {"room_sid", Type::text}, {"all_open", Type::boolean}};
  static const db::CommandKind kind{
      .name = "load_call_state",
      .access = db::CommandKind::Access::read,
      .statements = {
          {.name = "load_call",
           .input = input,
           .sql = "SELECT c.call_id, " + of_state().list("c") + std::string(from_calls),
           .output = of_state().keyed_types()},
          {.name = "load_sessions",
           .input = input,
           .sql = "SELECT s.call_id, " + column_list<Session>("s") + R"(
                        FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} JOIN {sessions} s ON s.call_id = i.call_id
                        WHERE s.user_id = i.identity OR s.participant_sid = i.participant_sid
                          OR (s.status <> 'ended' AND (i.all_open OR c.closes_at IS NOT NULL OR s.room_sid <> i.room_sid))
                          OR (s.end_evidence = 'generation' AND c.room_sid <> i.room_sid)
                        ORDER BY s.created_at, s.session_id)",
           .output = db::keyed_types<Session>()},
          {.name = "load_room_facts",
           .input = input,
           .sql = std::string(room_facts),
           .output = {Type::uuid, Type::boolean, Type::boolean, Type::timestamp, Type::timestamp, Type::integer}}}};
  return kind;
}

// The input `i`, with call_id and version, of those calls that have not changed.
constexpr std::string_view from_unchanged =
    " FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} WHERE c.version = i.version";

template <typename Model>
std::vector<db::Column> with_version() {
  auto columns = db::input_columns<Model>();
  columns.push_back({"version", Type::integer});
  return columns;
}

// What decisions change of a session that stays open, and of one that has ended. SQLite rewrites the indexes of a
// column that is written, changed or not.
const db::Columns<Session>& of_open_session() {
  static const db::Columns<Session> columns{"status", "joined_at", "participant_sid", "room_sid"};
  return columns;
}

const db::Columns<Session>& of_ended_session() {
  static const db::Columns<Session> columns{"status",       "created_at",        "joined_at",
                                            "left_at",      "disconnect_reason", "end_reason",
                                            "end_evidence", "participant_sid",   "room_sid"};
  return columns;
}

db::Statement write_sessions(std::string name, const db::Columns<Session>& changed) {
  std::vector<db::Column> input{{"session_id", Type::uuid}, {"call_id", Type::uuid}, {"version", Type::integer}};
  append(input, changed.input());
  return {.name = std::move(name),
          .input = std::move(input),
          .sql = "UPDATE {sessions} AS t SET " + changed.assignments() + R"(
              FROM input i JOIN {by_key:sessions:s} s.session_id = i.session_id {key:s} WHERE t.session_id = s.session_id
              AND EXISTS (SELECT 1 FROM {calls} c WHERE c.call_id = i.call_id AND c.version = i.version {one_by_one}))"};
}

// What decisions change of a call that goes on, or had ended before, and of one that they end.
const db::Columns<Call>& of_call() {
  static const db::Columns<Call> columns{"room_deletion", "room_sid",         "room_created_at",
                                         "closes_at",     "room_finished_at", "former_rooms"};
  return columns;
}

const db::Columns<Call>& of_call_and_its_end() {
  static const db::Columns<Call> columns{"status",        "ended_at",         "end_reason",
                                         "room_deletion", "room_sid",         "room_created_at",
                                         "closes_at",     "room_finished_at", "former_rooms"};
  return columns;
}

db::Statement write_call(std::string name, const db::Columns<Call>& changed) {
  std::vector<db::Column> input{{"call_id", Type::uuid}, {"version", Type::integer}};
  append(input, changed.input());
  return {.name = std::move(name),
          .input = std::move(input),
          .sql = "UPDATE {calls} AS c SET version = c.version + 1, " + changed.assignments() + R"(,
              entered_at = COALESCE(c.entered_at, (SELECT min(s.joined_at) FROM {sessions} s WHERE s.call_id = c.call_id)),
              participant_count = (SELECT count(*) FROM {sessions} s WHERE s.call_id = c.call_id AND s.status = 'active')
              FROM input i WHERE c.call_id = i.call_id AND c.version = i.version)"};
}

const db::CommandKind& apply_kind() {
  static const std::vector<db::Column> guard{{"call_id", Type::uuid}, {"version", Type::integer}};
  static const db::CommandKind kind{
      .name = "apply_change",
      .statements = {UserRepository::ensure_for_call(),
                     {.name = "lock_unchanged_call",
                      .input = guard,
                      .sql = "SELECT i.call_id" + std::string(from_unchanged) + " {lock:c}",
                      .output = {Type::uuid},
                      .goes_on = [](const db::Rows& unchanged) { return !unchanged.empty(); }},
                     // The user's next connection takes the place of the last, so what ends is written first.
                     write_sessions("write_ended_sessions", of_ended_session()),
                     write_sessions("write_open_sessions", of_open_session()),
                     {.name = "insert_sessions",
                      .input = with_version<Session>(),
                      .sql = "INSERT INTO {sessions} (" + column_list<Session>() + ") SELECT " +
                             column_list<Session>("i") + std::string(from_unchanged)},
                     {.name = "write_event",
                      .input = with_version<models::WebhookEvent>(),
                      .sql = "INSERT INTO {webhook_events} (" + column_list<models::WebhookEvent>() + ") SELECT " +
                             column_list<models::WebhookEvent>("i") + std::string(from_unchanged)},
                     {.name = "write_intents",
                      .input = with_version<models::Intent>(),
                      // A deletion that is under way is asked for anew: whoever is at it finishes the former intent
                      // only. A removal that has yet to be done is not asked for twice.
                      .sql = "INSERT INTO {outbox} (" + column_list<models::Intent>() + ") SELECT " +
                             column_list<models::Intent>("i") + std::string(from_unchanged) + R"(
              AND NOT EXISTS (SELECT 1 FROM {outbox} o WHERE o.call_id = i.call_id AND i.kind = 'remove_participant'
                AND o.participant_sid = i.participant_sid {one_by_one})
              ON CONFLICT (call_id) WHERE kind = 'delete_room' DO UPDATE SET intent_id = excluded.intent_id,
                due_at = excluded.due_at, attempts = 0, lease_owner = NULL, lease_until = NULL)"},
                     TimelineRepository::decided({{"version", Type::integer}}, from_unchanged),
                     write_call("write_call", of_call()),
                     write_call("write_call_and_its_end", of_call_and_its_end())}};
  return kind;
}

template <typename Model>
db::Rows rows_with_version(const std::vector<Model>& models, std::int64_t version) {
  db::Rows rows;
  for (const auto& model : models) {
    rows.push_back(db::to_row(model));
    rows.back().emplace_back(version);
  }
  return rows;
}

db::Rows rows_of(std::span<const Session> sessions, std::int64_t version, const db::Columns<Session>& changed) {
  db::Rows rows;
  rows.reserve(sessions.size());
  for (const auto& session : sessions) {
    rows.push_back(changed.row(session, {session.session_id, session.call_id, version}));
  }
  return rows;
}

void read_time(const db::Value& value, std::optional<Timestamp>& at) {
  db::from_value(value, at);
}

}  // namespace

Task<std::optional<CallWithSessions>> CallRepository::find(Uuid call_id, std::optional<std::string> reader, int limit) {
  const db::Rows input{{call_id, db::to_value(reader), std::int64_t{limit}}};
  std::vector<db::Rows> inputs{input, input};
  const auto result = co_await run(find_kind(), call_id, std::move(inputs));
  if (result.rows[0].empty()) co_return std::nullopt;

  CallWithSessions found;
  found.call = db::from_row<Call>(result.rows[0].front(), 1);
  found.allowed = std::get<bool>(result.rows[0].front().back());
  for (const auto& row : result.rows[1]) found.sessions.push_back(db::from_row<Session>(row, 1));
  co_return found;
}

Task<std::optional<CallState>> CallRepository::load_state(StateQuery query) {
  const db::Rows input{{query.call_id, db::to_value(query.event_id), db::to_value(query.identity),
                        db::to_value(query.participant_sid), db::to_value(query.room_sid), query.all_open}};
  std::vector<db::Rows> inputs{input, input, input};
  const auto result = co_await run(load_kind(), query.call_id, std::move(inputs));
  if (result.rows[0].empty()) co_return std::nullopt;

  CallState state;
  state.call = of_state().read(result.rows[0].front(), 1);
  for (const auto& row : result.rows[1]) state.sessions.push_back(db::from_row<Session>(row, 1));
  const auto& facts = result.rows[2].front();
  state.event_applied = std::get<bool>(facts[1]);
  state.room_was_entered = std::get<bool>(facts[2]);
  read_time(facts[3], state.room_last_left);
  read_time(facts[4], state.latest_moment);
  state.last_seq = std::get<std::int64_t>(facts[5]);
  co_return state;
}

Task<bool> CallRepository::apply(Change change) {
  const std::int64_t version = change.call.version;
  const auto open = std::ranges::partition(change.sessions, std::not_fn(&Session::is_open));
  const std::span ended(change.sessions.begin(), open.begin());
  db::Rows users;
  for (const auto& session : change.new_sessions) {
    users.push_back({session.user_id, change.now, change.call.call_id});
  }
  db::Rows event;
  if (change.event) event = rows_with_version(std::vector{*change.event}, version);
  std::vector<db::Rows> inputs{std::move(users),
                               {{change.call.call_id, version}},
                               rows_of(ended, version, of_ended_session()),
                               rows_of(open, version, of_open_session()),
                               rows_with_version(change.new_sessions, version),
                               std::move(event),
                               rows_with_version(change.intents, version),
                               rows_with_version(change.timeline, version),
                               {},
                               {}};
  const auto& changed = change.writes_end ? of_call_and_its_end() : of_call();
  inputs[inputs.size() - (change.writes_end ? 1 : 2)].push_back(
      changed.row(change.call, {change.call.call_id, version}));
  const auto result = co_await run(apply_kind(), change.call.call_id, std::move(inputs));
  co_return !result.rows[1].empty();
}

}  // namespace call_service::repositories
