#include "database/repositories/statistics_repository.hpp"

namespace call_service::repositories {

namespace {

using db::Type;

const db::CommandKind& count_kind() {
  static const db::CommandKind kind{
      .name = "count_open",
      .access = db::CommandKind::Access::read,
      .sharing = db::CommandKind::Sharing::commit,
      .statements = {{.name = "count_open",
                      .input = {{"now", Type::timestamp}},
                      .sql = R"(SELECT
                        (SELECT count(*) FROM {calls} WHERE status = 'active'),
                        (SELECT count(*) FROM {sessions} WHERE status = 'pending'),
                        (SELECT count(*) FROM {sessions} WHERE status = 'active'),
                        (SELECT count(*) FROM {outbox}),
                        (SELECT min(created_at) FROM {outbox})
                        FROM input)",
                      .output = {Type::integer, Type::integer, Type::integer, Type::integer, Type::timestamp}}}};
  return kind;
}

}  // namespace

Task<OpenCounts> StatisticsRepository::count_open(Timestamp now) {
  std::vector<db::Rows> inputs{{{now}}};
  const auto result = co_await run(count_kind(), Uuid{}, std::move(inputs));
  const db::Row& row = result.rows[0].front();
  const auto* oldest = std::get_if<Timestamp>(&row[4]);
  co_return OpenCounts{.active_calls = std::get<std::int64_t>(row[0]),
                       .pending_sessions = std::get<std::int64_t>(row[1]),
                       .active_sessions = std::get<std::int64_t>(row[2]),
                       .intents = std::get<std::int64_t>(row[3]),
                       .oldest_intent = oldest != nullptr ? std::optional(*oldest) : std::nullopt};
}

}  // namespace call_service::repositories
