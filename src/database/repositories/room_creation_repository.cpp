#include "database/repositories/room_creation_repository.hpp"

#include <string>

#include "database/repositories/claim.hpp"
#include "database/repositories/timeline_repository.hpp"

namespace call_service::repositories {

namespace {

using db::Type;
using models::RoomCreation;

db::CommandKind one_statement(db::Statement statement,
                              db::CommandKind::Access access = db::CommandKind::Access::write) {
  return {.name = statement.name,
          .access = access,
          .sharing = db::CommandKind::Sharing::commit,
          .statements = {std::move(statement)}};
}

// `condition` is on `i`, the input, and `c`, the call, which must be active; `taking` says when another's is taken
// over.
std::string insert(std::string_view condition, std::string_view taking) {
  return "INSERT INTO {room_creations} AS r (" + db::column_list<RoomCreation>() + ") SELECT " +
         db::column_list<RoomCreation>("i") +
         " FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} WHERE c.status = 'active'" +
         std::string(condition) +
         R"( ON CONFLICT (call_id) DO UPDATE SET creation_id = excluded.creation_id,
           empty_timeout_seconds = excluded.empty_timeout_seconds, due_at = excluded.due_at,
           lease_owner = excluded.lease_owner, lease_until = excluded.lease_until)" +
         std::string(taking);
}

const db::CommandKind& ask_for_missing_kind() {
  static const db::CommandKind kind = one_statement(
      {.name = "ask_for_missing_rooms",
       .input = db::input_columns<RoomCreation>(),
       .sql = insert("", " WHERE r.lease_until IS NULL OR r.lease_until <= excluded.due_at RETURNING call_id"),
       .output = {Type::uuid}});
  return kind;
}

const db::CommandKind& claim_kind() {
  static const db::CommandKind kind =
      one_statement({.name = "claim_room_creations",
                     .input = claim_columns(),
                     .sql = R"(UPDATE {room_creations} AS r SET lease_owner = i.owner, lease_until = i.lease_until
         FROM input i WHERE r.call_id IN (
           SELECT d.call_id FROM {room_creations} d WHERE )" +
                            std::string(is_claimable) + R"(
           ORDER BY d.due_at LIMIT (SELECT page FROM input) {skip_locked})
         RETURNING )" + db::returning_list<RoomCreation>("r"),
                     .output = db::column_types<RoomCreation>()});
  return kind;
}

const db::CommandKind& settle_kind() {
  static const std::vector<db::Column> input{
      {"call_id", Type::uuid}, {"creation_id", Type::uuid}, {"intent_id", Type::uuid}, {"now", Type::timestamp}};
  static const db::CommandKind kind{
      .name = "settle_room_creation",
      .statements = {
          {.name = "lock_call_of_room",
           .input = input,
           .sql =
               "SELECT c.call_id, c.status = 'ended' FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} "
               "{lock:c}",
           .output = {Type::uuid, Type::boolean}},
          TimelineRepository::room_of_ended_call(),
          {.name = "request_deletion_of_created_room",
           .input = input,
           .sql = R"(UPDATE {calls} AS t SET room_deletion = 'pending', version = t.version + 1
              FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c}
              WHERE t.call_id = c.call_id AND c.status = 'ended')"},
          {.name = "write_deletion_of_created_room",
           .input = input,
           // A deletion that is under way may have come too early.
           .sql = R"(INSERT INTO {outbox} (intent_id, call_id, kind, created_at, due_at, attempts)
              SELECT i.intent_id, i.call_id, 'delete_room', i.now, i.now, 0
              FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} WHERE c.status = 'ended'
              ON CONFLICT (call_id) WHERE kind = 'delete_room' DO UPDATE SET intent_id = excluded.intent_id,
                due_at = excluded.due_at, attempts = 0, lease_owner = NULL, lease_until = NULL)"},
          {.name = "remove_room_creation",
           .input = input,
           .sql = "DELETE FROM {room_creations} WHERE creation_id IN (SELECT i.creation_id FROM input i) "
                  "AND call_id IN (SELECT i.call_id FROM input i)"}}};
  return kind;
}

const db::CommandKind& postpone_kind() {
  static const db::CommandKind kind = one_statement({.name = "postpone_room_creation",
                                                     .input = {{"call_id", Type::uuid},
                                                               {"creation_id", Type::uuid},
                                                               {"due_at", Type::timestamp},
                                                               {"refused", Type::integer}},
                                                     .sql = R"(UPDATE {room_creations} AS r SET due_at = i.due_at,
              attempts = r.attempts + i.refused, lease_owner = NULL, lease_until = NULL
              FROM input i WHERE r.call_id = i.call_id AND r.creation_id = i.creation_id)"});
  return kind;
}

// Behind the input i and the call c.
constexpr std::string_view call_room = R"(c.call_id, c.started_at, c.status = 'active', c.max_participants,
  EXISTS (SELECT 1 FROM {sessions} s WHERE s.call_id = c.call_id AND s.joined_at IS NOT NULL {one_by_one}))";

const db::CommandKind& find_kind() {
  static const db::CommandKind kind = one_statement(
      {.name = "find_call_room",
       .input = {{"call_id", Type::uuid}},
       .sql = "SELECT " + std::string(call_room) + " FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c}",
       .output = {Type::uuid, Type::timestamp, Type::boolean, Type::integer, Type::boolean}},
      db::CommandKind::Access::read);
  return kind;
}

const db::CommandKind& in_use_kind() {
  static const db::CommandKind kind =
      one_statement({.name = "find_rooms_in_use",
                     .input = {{"after", Type::timestamp}, {"after_id", Type::uuid}, {"page", Type::integer}},
                     .sql = "SELECT " + std::string(call_room) + R"( FROM {calls} c
         WHERE c.status = 'active' AND c.started_at >= (SELECT i.after FROM input i)
           AND (c.started_at > (SELECT i.after FROM input i) OR c.call_id > (SELECT i.after_id FROM input i))
           AND EXISTS (SELECT 1 FROM {sessions} s WHERE s.call_id = c.call_id AND s.status <> 'ended' {one_by_one})
         ORDER BY c.started_at, c.call_id LIMIT (SELECT page FROM input))",
                     .output = {Type::uuid, Type::timestamp, Type::boolean, Type::integer, Type::boolean}},
                    db::CommandKind::Access::read);
  return kind;
}

CallRoom read_call_room(const db::Row& row) {
  CallRoom room{.call_id = std::get<Uuid>(row[0]),
                .started_at = std::get<Timestamp>(row[1]),
                .is_active = std::get<bool>(row[2]),
                .was_entered = std::get<bool>(row[4])};
  db::from_value(row[3], room.max_participants);
  return room;
}

}  // namespace

db::Statement RoomCreationRepository::ask() {
  auto input = db::input_columns<RoomCreation>();
  input.push_back({"user_id", Type::text});
  return {.name = "ask_for_room",
          .input = std::move(input),
          .sql = insert(R"( AND EXISTS (SELECT 1 FROM {sessions} s
            WHERE s.call_id = i.call_id AND s.user_id = i.user_id AND s.status = 'pending' {one_by_one}))",
                        "")};
}

db::Row RoomCreationRepository::row_to_ask(const RoomCreation& creation, const std::string& user_id) {
  db::Row row = db::to_row(creation);
  row.emplace_back(user_id);
  return row;
}

Task<std::vector<Uuid>> RoomCreationRepository::ask_for_missing(std::vector<RoomCreation> creations) {
  db::Rows rows;
  for (const auto& creation : creations) rows.push_back(db::to_row(creation));
  const Uuid key = creations.front().call_id;
  std::vector<db::Rows> inputs{std::move(rows)};
  const auto result = co_await run(ask_for_missing_kind(), key, std::move(inputs));
  std::vector<Uuid> taken;
  for (const auto& row : result.rows[0]) taken.push_back(std::get<Uuid>(row.front()));
  co_return taken;
}

Task<std::vector<RoomCreation>> RoomCreationRepository::claim(Uuid owner, Timestamp now, Timestamp lease_until,
                                                              int limit) {
  std::vector<db::Rows> inputs{{claim_row(owner, now, lease_until, limit)}};
  const auto result = co_await run(claim_kind(), owner, std::move(inputs));
  std::vector<RoomCreation> creations;
  for (const auto& row : result.rows[0]) creations.push_back(db::from_row<RoomCreation>(row));
  co_return creations;
}

Task<bool> RoomCreationRepository::settle(const RoomCreation& creation, Uuid deletion_id, Timestamp now) {
  const db::Rows input{{creation.call_id, creation.creation_id, deletion_id, now}};
  std::vector<db::Rows> inputs(settle_kind().statements.size(), input);
  const auto result = co_await run(settle_kind(), creation.call_id, std::move(inputs));
  co_return !result.rows[0].empty() && std::get<bool>(result.rows[0].front()[1]);
}

Task<void> RoomCreationRepository::give_back(const RoomCreation& creation) {
  std::vector<db::Rows> inputs{{{creation.call_id, creation.creation_id, creation.due_at, std::int64_t{0}}}};
  co_await run(postpone_kind(), creation.call_id, std::move(inputs));
}

Task<void> RoomCreationRepository::postpone(const RoomCreation& creation, Timestamp due_at) {
  std::vector<db::Rows> inputs{{{creation.call_id, creation.creation_id, due_at, std::int64_t{1}}}};
  co_await run(postpone_kind(), creation.call_id, std::move(inputs));
}

Task<std::optional<CallRoom>> RoomCreationRepository::find(Uuid call_id) {
  std::vector<db::Rows> inputs{{{call_id}}};
  const auto result = co_await run(find_kind(), call_id, std::move(inputs));
  if (result.rows[0].empty()) co_return std::nullopt;
  co_return read_call_room(result.rows[0].front());
}

Task<std::vector<CallRoom>> RoomCreationRepository::in_use(Timestamp after, Uuid after_id, int limit) {
  std::vector<db::Rows> inputs{{{after, after_id, std::int64_t{limit}}}};
  const auto result = co_await run(in_use_kind(), after_id, std::move(inputs));
  std::vector<CallRoom> rooms;
  for (const auto& row : result.rows[0]) rooms.push_back(read_call_room(row));
  co_return rooms;
}

}  // namespace call_service::repositories
