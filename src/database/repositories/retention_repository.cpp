#include "database/repositories/retention_repository.hpp"

#include <set>

namespace call_service::repositories {

namespace {

using db::Type;

// A condition on `c`, a call: it has ended, and neither its room nor a connection is still to be removed.
constexpr std::string_view is_over = R"(c.ended_at IS NOT NULL AND (c.room_deletion IS NULL OR c.room_deletion = 'done')
  AND NOT EXISTS (SELECT 1 FROM {outbox} o WHERE o.call_id = c.call_id {one_by_one}))";

const db::CommandKind& find_kind() {
  static const db::CommandKind kind{
      .name = "find_erasable_calls",
      .access = db::CommandKind::Access::read,
      .sharing = db::CommandKind::Sharing::commit,
      .statements = {{.name = "find_erasable_calls",
                      .input = {{"before", Type::timestamp},
                                {"after", Type::timestamp},
                                {"after_id", Type::uuid},
                                {"page", Type::integer}},
                      .sql = R"(SELECT c.call_id, c.ended_at,
    (SELECT count(*) FROM {sessions} s WHERE s.call_id = c.call_id)
      + (SELECT count(*) FROM {timeline} t WHERE t.call_id = c.call_id)
      + (SELECT count(*) FROM {webhook_events} e WHERE e.call_id = c.call_id)
  FROM {calls} c
  WHERE c.ended_at < (SELECT i.before FROM input i) AND c.ended_at >= (SELECT i.after FROM input i)
    AND (c.ended_at > (SELECT i.after FROM input i) OR c.call_id > (SELECT i.after_id FROM input i)) AND )" +
                             std::string(is_over) + " ORDER BY c.ended_at, c.call_id LIMIT (SELECT page FROM input)",
                      .output = {Type::uuid, Type::timestamp, Type::integer}}}};
  return kind;
}

const db::CommandKind& users_kind() {
  static const db::CommandKind kind{
      .name = "find_users_of_calls",
      .access = db::CommandKind::Access::read,
      .sharing = db::CommandKind::Sharing::commit,
      .statements = {{.name = "find_users_of_calls",
                      .input = {{"call_id", Type::uuid}},
                      .sql = R"(SELECT c.caller_id FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c}
        UNION SELECT c.ended_by FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c}
          WHERE c.ended_by_type = 'user'
        UNION SELECT u.user_id FROM input i JOIN {call_users} u ON u.call_id = i.call_id
        UNION SELECT s.user_id FROM input i JOIN {sessions} s ON s.call_id = i.call_id)",
                      .output = {Type::text}}}};
  return kind;
}

const db::CommandKind& erase_kind() {
  static const db::CommandKind kind{
      .name = "erase_calls",
      .sharing = db::CommandKind::Sharing::commit,
      .statements = {
          // Two replicas that erase two calls of one user would else each see the other's.
          {.name = "lock_users_to_erase",
           .input = {{"user_id", Type::text}},
           .sql = "SELECT u.user_id FROM {users} u JOIN input i ON u.user_id = i.user_id ORDER BY u.user_id {lock:u}",
           .output = {Type::text},
           .first = true},
          {.name = "erase_calls",
           .input = {{"call_id", Type::uuid}, {"before", Type::timestamp}},
           .sql = "DELETE FROM {calls} WHERE call_id IN (SELECT c.call_id FROM input i JOIN {calls} c "
                  "ON c.call_id = i.call_id WHERE c.ended_at < i.before AND " +
                  std::string(is_over) + ") RETURNING call_id",
           .output = {Type::uuid}},
          {.name = "erase_users",
           .input = {{"user_id", Type::text}},
           .sql = R"(DELETE FROM {users} WHERE user_id IN (SELECT i.user_id FROM input i
              WHERE NOT EXISTS (SELECT 1 FROM {calls} c WHERE c.caller_id = i.user_id {one_by_one})
                AND NOT EXISTS (SELECT 1 FROM {call_users} l WHERE l.user_id = i.user_id {one_by_one})
                AND NOT EXISTS (SELECT 1 FROM {sessions} s WHERE s.user_id = i.user_id {one_by_one})
                AND NOT EXISTS (SELECT 1 FROM {call_members} m WHERE m.user_id = i.user_id {one_by_one})) RETURNING user_id)",
           .output = {Type::text}}}};
  return kind;
}

}  // namespace

Task<std::vector<ErasableCall>> RetentionRepository::find(Timestamp before, Timestamp after, Uuid after_id, int limit) {
  std::vector<db::Rows> inputs{{{before, after, after_id, std::int64_t{limit}}}};
  const auto result = co_await run(find_kind(), after_id, std::move(inputs));
  std::vector<ErasableCall> calls;
  for (const auto& row : result.rows[0]) {
    calls.push_back({.call_id = std::get<Uuid>(row[0]),
                     .ended_at = std::get<Timestamp>(row[1]),
                     .rows = std::get<std::int64_t>(row[2])});
  }
  co_return calls;
}

// An ended call gets no new users, so they may be read before.
Task<std::vector<std::string>> RetentionRepository::users_of(const std::vector<Uuid>& call_ids) {
  db::Rows rows;
  for (const Uuid& id : call_ids) rows.push_back({id});
  std::vector<db::Rows> inputs{std::move(rows)};
  const auto result = co_await run(users_kind(), call_ids.front(), std::move(inputs));
  std::set<std::string> users;
  for (const auto& row : result.rows[0]) users.insert(std::get<std::string>(row.front()));
  co_return std::vector<std::string>(users.begin(), users.end());
}

Task<Erased> RetentionRepository::erase(std::vector<Uuid> call_ids, Timestamp before) {
  db::Rows users;
  for (auto& user : co_await users_of(call_ids)) users.push_back({std::move(user)});
  db::Rows calls;
  for (const Uuid& id : call_ids) calls.push_back({id, before});
  std::vector<db::Rows> inputs{users, std::move(calls), users};
  const auto result = co_await run(erase_kind(), call_ids.front(), std::move(inputs));
  co_return Erased{.calls = result.rows[1].size(), .users = result.rows[2].size()};
}

}  // namespace call_service::repositories
