#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "base/time.hpp"
#include "database/models/model.hpp"

namespace call_service::models {

// Somebody who started, joined or was invited to a call: the row of table `users`.
struct User {
  std::string user_id{};
  Timestamp created_at{};

  static constexpr std::string_view table = "users";
  static constexpr auto columns() {
    return std::tuple{db::column("user_id", &User::user_id), db::column("created_at", &User::created_at)};
  }
};

}  // namespace call_service::models
