// What the timer of the longest duration reads.

#include "database/repositories/call_repository.hpp"

namespace call_service::repositories {

namespace {

using db::Type;

const db::CommandKind& running_kind() {
  static const db::CommandKind kind{.name = "find_running_calls",
                                    .access = db::CommandKind::Access::read,
                                    .sharing = db::CommandKind::Sharing::commit,
                                    // Index calls_by_status, from its oldest active call on.
                                    .statements = {{.name = "find_running_calls",
                                                    .input = {{"started", Type::timestamp}, {"page", Type::integer}},
                                                    .sql = R"(SELECT c.call_id, c.started_at FROM {calls} c
                        WHERE c.status = 'active' AND c.started_at <= (SELECT started FROM input)
                        ORDER BY c.started_at, c.call_id LIMIT (SELECT page FROM input))",
                                                    .output = {Type::uuid, Type::timestamp}}}};
  return kind;
}

}  // namespace

Task<std::vector<RunningCall>> CallRepository::running_since(Timestamp started, int limit) {
  std::vector<db::Rows> inputs{{{started, std::int64_t{limit}}}};
  const auto result = co_await run(running_kind(), Uuid{}, std::move(inputs));
  std::vector<RunningCall> calls;
  for (const auto& row : result.rows[0]) {
    calls.push_back({.call_id = std::get<Uuid>(row[0]), .started_at = std::get<Timestamp>(row[1])});
  }
  co_return calls;
}

}  // namespace call_service::repositories
