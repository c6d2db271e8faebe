#include "database/repositories/revision_repository.hpp"

namespace call_service::repositories {

namespace {

using db::Type;

const db::CommandKind& missing_kind() {
  static const db::CommandKind kind{.name = "find_missing_revisions",
                                    .access = db::CommandKind::Access::read,
                                    .sharing = db::CommandKind::Sharing::commit,
                                    .statements = {{.name = "find_missing_revisions",
                                                    .input = {{"revision", Type::text}},
                                                    .sql = R"(SELECT i.revision FROM input i WHERE NOT EXISTS (
                        SELECT 1 FROM {call_service_migrations} m WHERE m.revision = i.revision) ORDER BY i.revision)",
                                                    .output = {Type::text}}}};
  return kind;
}

}  // namespace

Task<std::vector<std::string>> RevisionRepository::missing(const std::vector<std::string>& revisions) {
  db::Rows rows;
  for (const auto& revision : revisions) rows.push_back({revision});
  std::vector<db::Rows> inputs{std::move(rows)};
  const auto result = co_await run(missing_kind(), Uuid{}, std::move(inputs));
  std::vector<std::string> missing;
  for (const auto& row : result.rows[0]) missing.push_back(std::get<std::string>(row.front()));
  co_return missing;
}

}  // namespace call_service::repositories
