// How often a call's room was deleted, as its timeline tells.

#include "database/repositories/call_repository.hpp"

namespace call_service::repositories {

namespace {

using db::Type;

const db::CommandKind& deletions_kind() {
  static const db::CommandKind kind{
      .name = "find_room_deletions",
      .access = db::CommandKind::Access::read,
      .statements = {{.name = "find_room_deletions",
                      .input = {{"call_id", Type::uuid}, {"since", Type::timestamp}},
                      .sql = R"(SELECT i.call_id,
    (SELECT count(*) FROM {timeline} t WHERE t.call_id = i.call_id AND t.type = 'room.deleted' AND t.at > i.since),
    (SELECT max(t.at) FROM {timeline} t WHERE t.call_id = i.call_id AND t.type = 'room.deleted'),
    COALESCE((SELECT max(t.seq) FROM {timeline} t WHERE t.call_id = i.call_id AND t.type = 'room.deletion_requested'), 0)
      > COALESCE((SELECT max(t.seq) FROM {timeline} t WHERE t.call_id = i.call_id AND t.type = 'room.started'), 0)
  FROM input i)",
                      .output = {Type::uuid, Type::integer, Type::timestamp, Type::boolean}}}};
  return kind;
}

}  // namespace

Task<RoomDeletions> CallRepository::room_deletions(Uuid call_id, Timestamp since) {
  std::vector<db::Rows> inputs{{{call_id, since}}};
  const auto result = co_await run(deletions_kind(), call_id, std::move(inputs));
  const auto& row = result.rows[0].front();
  RoomDeletions past{.done = std::get<std::int64_t>(row[1]), .cover_known_room = std::get<bool>(row[3])};
  db::from_value(row[2], past.last_done);
  co_return past;
}

}  // namespace call_service::repositories
