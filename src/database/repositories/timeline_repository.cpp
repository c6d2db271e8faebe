#include "database/repositories/timeline_repository.hpp"

#include "base/ranges.hpp"
#include "database/repositories/access.hpp"
#include "database/repositories/call_guard.hpp"

namespace call_service::repositories {

namespace {

using db::Type;
using models::TimelineEntry;

// The number of the call's last entry; `i` is the input.
constexpr std::string_view last_seq = "COALESCE((SELECT max(t.seq) FROM {timeline} t WHERE t.call_id = i.call_id), 0)";

std::string single_entry(std::string_view type, std::string_view session_id, std::string_view condition) {
  return "INSERT INTO {timeline} (call_id, seq, at, type, cause, actor, actor_type, session_id) SELECT i.call_id, " +
         std::string(last_seq) + " + 1, i.now, '" + std::string(type) + "', 'api', i.actor, i.actor_type, " +
         std::string(session_id) + std::string(from_calls) + "WHERE " + std::string(condition);
}

const db::CommandKind& find_kind() {
  static const std::vector<db::Column> input{
      {"call_id", Type::uuid}, {"reader", Type::text}, {"after_seq", Type::integer}, {"page", Type::integer}};
  static const db::CommandKind kind{
      .name = "find_timeline",
      .access = db::CommandKind::Access::read,
      .sharing = db::CommandKind::Sharing::commit,
      .statements = {{.name = "find_call_of_timeline",
                      .input = input,
                      .sql = "SELECT c.call_id, " + std::string(may_read) + std::string(from_calls),
                      .output = {Type::uuid, Type::boolean}},
                     {.name = "find_timeline",
                      .input = input,
                      .sql = "SELECT t.call_id, " + db::column_list<TimelineEntry>("t") + R"(, s.user_id
              FROM input i JOIN {timeline} t ON t.call_id = i.call_id AND t.seq > i.after_seq
              LEFT JOIN {sessions} s ON s.session_id = t.session_id
              ORDER BY t.seq LIMIT (SELECT max(page) FROM input))",
                      .output = db::keyed_types<TimelineEntry>({Type::text})}}};
  return kind;
}

}  // namespace

db::Statement TimelineRepository::start() {
  return {.name = "write_timeline_of_start",
          .input = {{"call_id", Type::uuid},
                    {"session_id", Type::uuid},
                    {"actor", Type::text},
                    {"actor_type", Type::text},
                    {"now", Type::timestamp}},
          .sql = R"(INSERT INTO {timeline} (call_id, seq, at, type, cause, actor, actor_type, session_id)
            SELECT i.call_id, 1, i.now, 'call.started', 'api', i.actor, i.actor_type, NULL FROM input i
            UNION ALL
            SELECT i.call_id, 2, i.now, 'session.created', 'api', i.actor, i.actor_type, i.session_id FROM input i)"};
}

db::Statement TimelineRepository::entry(std::vector<db::Column> input, std::string_view type,
                                        std::string_view condition) {
  return {.name = "write_entry_" + std::string(type),
          .input = std::move(input),
          .sql = single_entry(type, "NULL", condition)};
}

db::Statement TimelineRepository::session_entry(std::vector<db::Column> input, std::string_view type,
                                                std::string_view condition) {
  return {.name = "write_entry_" + std::string(type),
          .input = std::move(input),
          .sql = single_entry(type, "i.session_id", condition)};
}

db::Statement TimelineRepository::leave(std::vector<db::Column> input, std::string_view theirs) {
  return {.name = "write_timeline_of_leave",
          .input = std::move(input),
          .sql = R"(INSERT INTO {timeline} (call_id, seq, at, type, cause, actor, actor_type, session_id, detail)
            SELECT i.call_id, )" +
                 std::string(last_seq) +
                 R"( + row_number() OVER (PARTITION BY i.call_id ORDER BY s.created_at, s.session_id),
              i.now, 'session.left', 'api', i.actor, i.actor_type, s.session_id, '{{"end_reason":"left"}'{json}
            FROM input i JOIN {by_key:sessions:s} )" +
                 std::string(theirs) + " {key:s} WHERE s.status <> 'ended'"};
}

// First the end of the call, then those of its open sessions, then the request to delete its room.
db::Statement TimelineRepository::end(std::vector<db::Column> input, std::string_view condition) {
  const std::string calls(from_calls);
  const std::string where = " WHERE " + std::string(condition);
  const std::string seq = " SELECT i.call_id, " + std::string(last_seq);
  const std::string said = ", i.now, 'api', i.ended_by, i.ended_by_type, ";
  return {.name = "write_timeline_of_end",
          .input = std::move(input),
          .sql = "INSERT INTO {timeline} (call_id, seq, at, cause, actor, actor_type, type, session_id, detail)" + seq +
                 " + 1" + said + R"('call.ended', NULL, '{{"end_reason":"ended"}'{json})" + calls + where +
                 " UNION ALL" + seq + " + 1 + row_number() OVER (PARTITION BY i.call_id ORDER BY s.session_id)" + said +
                 R"('session.left', s.session_id, '{{"end_reason":"call_ended"}'{json})" + calls +
                 " JOIN {by_key:sessions:s} s.call_id = i.call_id AND s.status <> 'ended' {key:s}" + where +
                 " UNION ALL" + seq + R"( + 2 + (SELECT count(*) FROM {sessions} s
              WHERE s.call_id = i.call_id AND s.status <> 'ended'))" +
                 said + "'room.deletion_requested', NULL, NULL" + calls + where};
}

db::Statement TimelineRepository::decided(std::vector<db::Column> more, std::string_view from) {
  auto input = db::input_columns<TimelineEntry>();
  append(input, more);
  return {.name = "write_timeline",
          .input = std::move(input),
          .sql = "INSERT INTO {timeline} (" + db::column_list<TimelineEntry>() + ") SELECT " +
                 db::column_list<TimelineEntry>("i") + std::string(from)};
}

db::Statement TimelineRepository::room_of_ended_call() {
  return {.name = "write_entry_of_created_room",
          .input = {{"call_id", Type::uuid},
                    {"creation_id", Type::uuid},
                    {"intent_id", Type::uuid},
                    {"now", Type::timestamp}},
          .sql = "INSERT INTO {timeline} (call_id, seq, at, type, cause) SELECT i.call_id, " + std::string(last_seq) +
                 " + 1, i.now, 'room.deletion_requested', 'reconciler' FROM input i "
                 "JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} WHERE c.status = 'ended'"};
}

// Whoever asked for the deletion is its cause.
db::Statement TimelineRepository::room_deleted() {
  return {.name = "write_entry_room.deleted",
          .input = {{"call_id", Type::uuid}, {"intent_id", Type::uuid}, {"now", Type::timestamp}},
          .sql = "INSERT INTO {timeline} (call_id, seq, at, type, cause) SELECT i.call_id, " + std::string(last_seq) +
                 R"( + 1, i.now, 'room.deleted', COALESCE((
              SELECT t.cause FROM {timeline} t WHERE t.call_id = i.call_id AND t.type = 'room.deletion_requested'
              ORDER BY t.seq DESC LIMIT 1), 'api')
            FROM input i JOIN {by_key:outbox:o} o.intent_id = i.intent_id {key:o} WHERE o.kind = 'delete_room')"};
}

Task<std::optional<Timeline>> TimelineRepository::find(Uuid call_id, std::optional<std::string> reader,
                                                       std::int64_t after_seq, int limit) {
  const db::Rows input{{call_id, db::to_value(reader), after_seq, std::int64_t{limit}}};
  std::vector<db::Rows> inputs{input, input};
  const auto result = co_await run(find_kind(), call_id, std::move(inputs));
  if (result.rows[0].empty()) co_return std::nullopt;

  Timeline found{.allowed = std::get<bool>(result.rows[0].front().back())};
  for (const auto& row : result.rows[1]) {
    auto& item = found.items.emplace_back(TimelineItem{.entry = db::from_row<TimelineEntry>(row, 1)});
    db::from_value(row.back(), item.user_id);
  }
  co_return found;
}

}  // namespace call_service::repositories
