#include "database/repositories/user_repository.hpp"

namespace call_service::repositories {

namespace {

using db::Type;

const db::CommandKind& find_kind() {
  static const db::CommandKind kind{.name = "find_user",
                                    .access = db::CommandKind::Access::read,
                                    .sharing = db::CommandKind::Sharing::commit,
                                    .statements = {{.name = "find_user",
                                                    .input = {{"user_id", Type::text}},
                                                    .sql = "SELECT " + db::column_list<models::User>("u") +
                                                           " FROM input i JOIN {users} u ON u.user_id = i.user_id",
                                                    .output = db::column_types<models::User>()}}};
  return kind;
}

const db::CommandKind& active_sessions_kind() {
  using models::Session;
  static const db::CommandKind kind{.name = "find_active_sessions",
                                    .access = db::CommandKind::Access::read,
                                    .sharing = db::CommandKind::Sharing::commit,
                                    .statements = {{.name = "find_active_sessions",
                                                    .input = {{"user_id", Type::text}},
                                                    .sql = "SELECT " + db::column_list<Session>("s") +
                                                           " FROM {sessions} s WHERE s.status = 'active' AND s.user_id "
                                                           "= (SELECT user_id FROM input) "
                                                           "ORDER BY s.created_at, s.session_id",
                                                    .output = db::column_types<Session>()}}};
  return kind;
}

// A standby, or a server that is set to read only, refuses it before it looks for rows.
// `condition` follows FROM input i.
db::Statement ensure_if(std::string name, std::string_view condition) {
  return {.name = std::move(name),
          .input = {{"user_id", Type::text}, {"created_at", Type::timestamp}, {"call_id", Type::uuid}},
          .sql = "INSERT INTO {users} (user_id, created_at) SELECT i.user_id, i.created_at FROM input i " +
                 std::string(condition) + " ORDER BY i.user_id ON CONFLICT (user_id) DO NOTHING",
          .output = {},
          .first = true};
}

}  // namespace

db::Statement UserRepository::ensure() {
  return {.name = "ensure_users",
          .input = db::input_columns<models::User>(),
          .sql = R"(INSERT INTO {users} (user_id, created_at)
            SELECT i.user_id, i.created_at FROM input i WHERE true ORDER BY i.user_id
            ON CONFLICT (user_id) DO NOTHING)",
          .output = {},
          .first = true};
}

db::Statement UserRepository::ensure_for_new_call() {
  return ensure_if("ensure_users_of_new_call",
                   "WHERE NOT EXISTS (SELECT 1 FROM {calls} c WHERE c.call_id = i.call_id {one_by_one})");
}

db::Statement UserRepository::ensure_for_active_call() {
  return ensure_if("ensure_users_of_active_call",
                   "JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} WHERE c.status = 'active'");
}

db::Statement UserRepository::ensure_for_call() {
  return ensure_if("ensure_users_of_call", "JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} WHERE true");
}

Task<std::optional<models::User>> UserRepository::find(const std::string& user_id) {
  std::vector<db::Rows> inputs{{{user_id}}};
  const auto result = co_await run(find_kind(), Uuid{}, std::move(inputs));
  if (result.rows[0].empty()) co_return std::nullopt;
  co_return db::from_row<models::User>(result.rows[0].front());
}

Task<std::vector<models::Session>> UserRepository::active_sessions(const std::string& user_id) {
  std::vector<db::Rows> inputs{{{user_id}}};
  const auto result = co_await run(active_sessions_kind(), Uuid{}, std::move(inputs));
  std::vector<models::Session> sessions;
  for (const auto& row : result.rows[0]) sessions.push_back(db::from_row<models::Session>(row));
  co_return sessions;
}

}  // namespace call_service::repositories
