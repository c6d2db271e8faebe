// Lists, page by page. Each reads an index from one end, so a page costs the same however long the list is: for every
// status, and for every way to belong to a call, a branch of its own with its own LIMIT; what they bring is merged.
// What a page depends on comes as scalar subqueries: joined, it would keep the index's order from being seen.

#include "database/repositories/access.hpp"
#include "database/repositories/call_repository.hpp"

namespace call_service::repositories {

namespace {

using db::column_list;
using db::Type;
using models::Call;
using models::Session;

std::string given(std::string_view parameter) {
  return "(SELECT " + std::string(parameter) + " FROM input)";
}

const std::vector<db::Column>& calls_input() {
  static const std::vector<db::Column> columns{
      {"owner", Type::text},      {"caller_id", Type::text},   {"other", Type::text},     {"status", Type::text},
      {"after", Type::timestamp}, {"before", Type::timestamp}, {"before_id", Type::uuid}, {"page", Type::integer}};
  return columns;
}

// The calls of one status that `source` (FROM and WHERE) yields. `order` is the table whose index gives the order. If
// the other status is asked for, none are read: as a condition SQLite would check that for each row of the index.
std::string branch(std::string_view source, std::string_view order, std::string_view status) {
  const std::string o(order);
  const std::string s(status);
  return "SELECT * FROM (SELECT " + column_list<Call>("c") + " FROM " + std::string(source) + " AND " + o +
         ".status = '" + s + "' AND (" + o + ".started_at, " + o + ".call_id) < (" + given("before") + ", " +
         given("before_id") + ") AND " + o + ".started_at > " + given("after") + " AND (" + given("caller_id") +
         " IS NULL OR c.caller_id = " + given("caller_id") + ") AND (" + given("other") +
         " IS NULL OR c.caller_id = " + given("other") +
         " OR EXISTS (SELECT 1 FROM {call_members} x WHERE x.call_id = c.call_id AND x.user_id = " + given("other") +
         " {one_by_one})) ORDER BY " + o + ".started_at DESC, " + o +
         ".call_id DESC LIMIT (SELECT CASE WHEN COALESCE(i.status, '" + s + "') = '" + s +
         "' THEN i.page ELSE 0 END FROM input i)) AS b_" + s;
}

std::string both(std::string_view source, std::string_view order) {
  return branch(source, order, "active") + " UNION ALL " + branch(source, order, "ended");
}

db::CommandKind calls_kind(std::string name, const std::string& branches) {
  db::Statement statement{
      .name = name,
      .input = calls_input(),
      .sql = "SELECT * FROM (" + branches + ") AS found ORDER BY started_at DESC, call_id DESC LIMIT " + given("page"),
      .output = db::column_types<Call>()};
  return {.name = std::move(name),
          .access = db::CommandKind::Access::read,
          .sharing = db::CommandKind::Sharing::commit,
          .statements = {std::move(statement)}};
}

const std::string& started_by_owner() {
  static const std::string calls = both("{calls} c WHERE c.caller_id = " + given("owner"), "c");
  return calls;
}

const db::CommandKind& kind_of(CallFilter::Scope scope) {
  static const db::CommandKind all = calls_kind("list_calls", both("{calls} c WHERE true", "c"));
  static const db::CommandKind started = calls_kind("list_calls_of_caller", started_by_owner());
  static const std::string with_owner =
      both("{call_members} m JOIN {calls} c ON c.call_id = m.call_id WHERE m.user_id = " + given("owner"), "m");
  static const db::CommandKind involving =
      calls_kind("list_calls_of_user", started_by_owner() + " UNION ALL " + with_owner);
  switch (scope) {
    case CallFilter::Scope::all:
      return all;
    case CallFilter::Scope::started_by:
      return started;
    case CallFilter::Scope::involving:
      return involving;
  }
  std::unreachable();
}

const db::CommandKind& sessions_kind() {
  static const std::vector<db::Column> input{
      {"call_id", Type::uuid},    {"reader", Type::text},   {"user_id", Type::text}, {"status", Type::text},
      {"after", Type::timestamp}, {"after_id", Type::uuid}, {"page", Type::integer}};
  static const db::CommandKind kind{
      .name = "list_sessions",
      .access = db::CommandKind::Access::read,
      .sharing = db::CommandKind::Sharing::commit,
      .statements = {
          {.name = "find_call_of_sessions",
           .input = input,
           .sql = "SELECT c.call_id, " + std::string(may_read) +
                  " FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c}",
           .output = {Type::uuid, Type::boolean}},
          {.name = "list_sessions",
           .input = input,
           .sql = "SELECT " + column_list<Session>("s") + " FROM {sessions} s WHERE s.call_id = " + given("call_id") +
                  " AND (s.created_at, s.session_id) > (" + given("after") + ", " + given("after_id") + ") AND (" +
                  given("user_id") + " IS NULL OR s.user_id = " + given("user_id") + ") AND (" + given("status") +
                  " IS NULL OR s.status = " + given("status") + ") ORDER BY s.created_at, s.session_id LIMIT " +
                  given("page"),
           .output = db::column_types<Session>()}}};
  return kind;
}

}  // namespace

Task<std::vector<Call>> CallRepository::list(CallFilter filter, int limit) {
  std::vector<db::Rows> inputs{
      {{db::to_value(filter.owner), db::to_value(filter.caller_id), db::to_value(filter.other),
        db::to_value(filter.status), filter.after, filter.before, filter.before_id, std::int64_t{limit}}}};
  const auto result = co_await run(kind_of(filter.scope), Uuid{}, std::move(inputs));
  std::vector<Call> calls;
  for (const auto& row : result.rows[0]) calls.push_back(db::from_row<Call>(row));
  co_return calls;
}

Task<std::optional<SessionList>> CallRepository::list_sessions(SessionFilter filter, int limit) {
  const db::Rows input{{filter.call_id, db::to_value(filter.reader), db::to_value(filter.user_id),
                        db::to_value(filter.status), filter.after, filter.after_id, std::int64_t{limit}}};
  std::vector<db::Rows> inputs{input, input};
  const auto result = co_await run(sessions_kind(), filter.call_id, std::move(inputs));
  if (result.rows[0].empty()) co_return std::nullopt;
  SessionList found{.allowed = std::get<bool>(result.rows[0].front().back())};
  for (const auto& row : result.rows[1]) found.sessions.push_back(db::from_row<Session>(row));
  co_return found;
}

}  // namespace call_service::repositories
