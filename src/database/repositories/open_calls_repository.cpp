#include "database/repositories/open_calls_repository.hpp"

#include <algorithm>
#include <unordered_map>

namespace call_service::repositories {

namespace {

using db::Type;

const std::vector<db::Column>& ids_input() {
  static const std::vector<db::Column> columns{{"call_id", Type::uuid}};
  return columns;
}

db::CommandKind read_kind(std::string name, std::vector<db::Statement> statements) {
  return {.name = std::move(name),
          .access = db::CommandKind::Access::read,
          .sharing = db::CommandKind::Sharing::commit,
          .statements = std::move(statements)};
}

const db::CommandKind& page_kind() {
  static const db::CommandKind kind = read_kind(
      "page_open_calls", {{.name = "page_open_calls",
                           .input = {{"started_at", Type::timestamp}, {"call_id", Type::uuid}, {"page", Type::integer}},
                           .sql = R"(SELECT c.started_at, c.call_id FROM {calls} c
          WHERE c.status = 'active'
            AND (c.started_at, c.call_id) > ((SELECT started_at FROM input), (SELECT call_id FROM input))
          ORDER BY c.started_at, c.call_id LIMIT (SELECT page FROM input))",
                           .output = {Type::timestamp, Type::uuid}}});
  return kind;
}

const db::CommandKind& find_kind() {
  static const db::CommandKind kind =
      read_kind("read_open_calls",
                {{.name = "read_open_calls",
                  .input = ids_input(),
                  .sql = R"(SELECT c.call_id, c.room_sid, c.token_issued_at, c.closes_at, c.entered_at, c.seen_at,
            CASE WHEN c.participant_count = 0 AND c.entered_at IS NOT NULL THEN (
              SELECT max(s.left_at) FROM {sessions} s WHERE s.call_id = c.call_id AND s.joined_at IS NOT NULL) END
          FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} WHERE c.status = 'active')",
                  .output = {Type::uuid, Type::text, Type::timestamp, Type::timestamp, Type::timestamp, Type::timestamp,
                             Type::timestamp}},
                 {.name = "read_open_connections",
                  .input = ids_input(),
                  .sql = R"(SELECT s.call_id, s.participant_sid FROM input i
          JOIN {by_key:sessions:s} s.call_id = i.call_id AND s.status <> 'ended' {key:s} WHERE s.status = 'active')",
                  .output = {Type::uuid, Type::text}}});
  return kind;
}

const std::vector<db::Column>& silence_input() {
  static const std::vector<db::Column> columns{{"closing", Type::timestamp},      {"closing_ahead", Type::timestamp},
                                               {"token_ahead", Type::timestamp},  {"session", Type::timestamp},
                                               {"never_joined", Type::timestamp}, {"page", Type::integer}};
  return columns;
}

const db::CommandKind& silent_kind() {
  static const db::CommandKind kind =
      read_kind("find_silent_calls", {{.name = "find_closing_calls",
                                       .input = silence_input(),
                                       .sql = R"(SELECT c.call_id FROM {calls} c WHERE c.closes_at IS NOT NULL
            AND (c.closes_at <= (SELECT closing FROM input) OR c.closes_at > (SELECT closing_ahead FROM input))
          ORDER BY c.closes_at LIMIT (SELECT page FROM input))",
                                       .output = {Type::uuid}},
                                      {.name = "find_expired_sessions",
                                       .input = silence_input(),
                                       .sql = R"(SELECT s.call_id FROM {sessions} s
          WHERE s.status = 'pending' AND s.token_expires_at <= (SELECT session FROM input)
          ORDER BY s.token_expires_at LIMIT (SELECT page FROM input))",
                                       .output = {Type::uuid}},
                                      {.name = "find_calls_never_joined",
                                       .input = silence_input(),
                                       .sql = R"(SELECT c.call_id FROM {calls} c
          WHERE c.status = 'active' AND c.entered_at IS NULL AND c.started_at <= (SELECT never_joined FROM input)
            AND (c.token_issued_at IS NULL OR c.token_issued_at <= (SELECT never_joined FROM input)
              OR c.token_issued_at > (SELECT token_ahead FROM input))
          ORDER BY c.started_at LIMIT (SELECT page FROM input))",
                                       .output = {Type::uuid}}});
  return kind;
}

const db::CommandKind& owners_kind() {
  static const db::CommandKind kind =
      read_kind("find_owners_of_rooms",
                {{.name = "find_owners_of_rooms",
                  .input = ids_input(),
                  .sql = "SELECT c.call_id, c.status = 'active', COALESCE(c.room_deletion, '') = 'pending' "
                         "FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c}",
                  .output = {Type::uuid, Type::boolean, Type::boolean}}});
  return kind;
}

// No change of the call: its version stays.
const db::CommandKind& seen_kind() {
  static const std::vector<db::Column> input{{"call_id", Type::uuid}, {"seen_at", Type::timestamp}};
  static const db::CommandKind kind{
      .name = "mark_calls_seen",
      .statements = {
          {.name = "lock_seen_call",
           .input = input,
           .sql = "SELECT c.call_id FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} {lock:c}",
           .output = {Type::uuid}},
          {.name = "mark_call_seen",
           .input = input,
           .sql = "UPDATE {calls} AS t SET seen_at = i.seen_at "
                  "FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} "
                  "WHERE t.call_id = c.call_id AND c.status = 'active'"}}};
  return kind;
}

db::Rows rows_of(const std::vector<Uuid>& ids) {
  db::Rows rows;
  for (const Uuid& id : ids) rows.push_back({id});
  return rows;
}

OpenCall read_open_call(const db::Row& row) {
  OpenCall call{.call_id = std::get<Uuid>(row[0])};
  db::from_value(row[1], call.room_sid);
  db::from_value(row[2], call.token_issued_at);
  db::from_value(row[3], call.closes_at);
  db::from_value(row[4], call.entered_at);
  db::from_value(row[5], call.seen_at);
  db::from_value(row[6], call.last_left);
  return call;
}

}  // namespace

Task<std::vector<OpenCallPlace>> OpenCallsRepository::page(OpenCallPlace after, int limit) {
  std::vector<db::Rows> inputs{{{after.started_at, after.call_id, std::int64_t{limit}}}};
  const auto result = co_await run(page_kind(), Uuid{}, std::move(inputs));
  std::vector<OpenCallPlace> places;
  for (const auto& row : result.rows[0]) places.push_back({std::get<Timestamp>(row[0]), std::get<Uuid>(row[1])});
  co_return places;
}

Task<std::vector<OpenCall>> OpenCallsRepository::find(std::vector<Uuid> call_ids) {
  std::vector<OpenCall> calls;
  if (call_ids.empty()) co_return calls;
  std::vector<db::Rows> inputs{rows_of(call_ids), rows_of(call_ids)};
  const auto result = co_await run(find_kind(), Uuid{}, std::move(inputs));
  std::unordered_map<Uuid, std::size_t> places;
  for (const auto& row : result.rows[0]) {
    places.emplace(std::get<Uuid>(row[0]), calls.size());
    calls.push_back(read_open_call(row));
  }
  for (const auto& row : result.rows[1]) {
    const auto place = places.find(std::get<Uuid>(row[0]));
    if (place != places.end()) calls[place->second].connections.push_back(std::get<std::string>(row[1]));
  }
  co_return calls;
}

Task<std::vector<Uuid>> OpenCallsRepository::silent(SilenceLimits limits, int limit) {
  const db::Rows input{{limits.closing, limits.closing_ahead, limits.token_ahead, limits.session, limits.never_joined,
                        std::int64_t{limit}}};
  std::vector<db::Rows> inputs{input, input, input};
  const auto result = co_await run(silent_kind(), Uuid{}, std::move(inputs));
  std::vector<Uuid> ids;
  for (const auto& rows : result.rows) {
    for (const auto& row : rows) ids.push_back(std::get<Uuid>(row[0]));
  }
  std::ranges::sort(ids);
  const auto repeated = std::ranges::unique(ids);
  ids.erase(repeated.begin(), repeated.end());
  co_return ids;
}

Task<std::vector<RoomOwner>> OpenCallsRepository::owners(std::vector<Uuid> call_ids) {
  std::vector<RoomOwner> owners;
  if (call_ids.empty()) co_return owners;
  std::vector<db::Rows> inputs{rows_of(call_ids)};
  const auto result = co_await run(owners_kind(), Uuid{}, std::move(inputs));
  for (const auto& row : result.rows[0]) {
    owners.push_back({std::get<Uuid>(row[0]), std::get<bool>(row[1]), std::get<bool>(row[2])});
  }
  co_return owners;
}

Task<void> OpenCallsRepository::mark_seen(Uuid call_id, Timestamp at) {
  const db::Rows input{{call_id, at}};
  std::vector<db::Rows> inputs{input, input};
  co_await run(seen_kind(), call_id, std::move(inputs));
}

}  // namespace call_service::repositories
