#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "log.hpp"

namespace call_service::services {

// Who makes a request.
struct Caller {
  enum class Type { user, service } type = Type::user;
  std::string id{};                     // the user id (`sub`), or the service key's name
  std::optional<std::string> name{};    // the user token's `name` claim
  const log::Origin* origin = nullptr;  // of the request, as long as it is handled

  log::Origin log_origin() const { return origin != nullptr ? *origin : log::Origin{}; }
  bool is_service() const { return type == Type::service; }
  // May act for this user: itself, or any by a service key.
  bool acts_for(const std::string& user_id) const { return is_service() || id == user_id; }
  // The user whose rights are looked at; none for a service key, which has them all.
  std::optional<std::string> acting_user() const { return is_service() ? std::nullopt : std::optional(id); }
};

}  // namespace call_service::services
