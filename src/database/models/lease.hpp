#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/models/model.hpp"

namespace call_service::models {

// Work that one process at a time does for all that share the database: the row of table `leases`. Whoever lets it run
// out has lost it.
struct Lease {
  std::string name{};
  Uuid owner{};  // the process
  Timestamp renewed_at{};
  Timestamp until{};

  static constexpr std::string_view table = "leases";
  static constexpr auto columns() {
    return std::tuple{
        db::column("name", &Lease::name),
        db::column("owner", &Lease::owner),
        db::column("renewed_at", &Lease::renewed_at),
        db::column("until", &Lease::until),
    };
  }
};

}  // namespace call_service::models
