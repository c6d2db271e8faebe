#pragma once

#include <optional>
#include <string>
#include <vector>

#include "database/models/session.hpp"
#include "database/models/user.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

// Users come into being on first use: the commands of other repositories begin with one of these statements.
class UserRepository : public Repository<models::User> {
 public:
  using Repository::Repository;

  // Input: user_id, created_at. Writes those that are new.
  static db::Statement ensure();
  // Input: user_id, created_at, call_id. The same, but only if there is no such call yet, if it is active, or if
  // there is such a call at all.
  static db::Statement ensure_for_new_call();
  static db::Statement ensure_for_active_call();
  static db::Statement ensure_for_call();

  Task<std::optional<models::User>> find(const std::string& user_id);
  // Its sessions with status `active`, oldest first.
  Task<std::vector<models::Session>> active_sessions(const std::string& user_id);
};

}  // namespace call_service::repositories
