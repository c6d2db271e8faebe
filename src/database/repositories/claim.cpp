#include "database/repositories/claim.hpp"

namespace call_service::repositories {

using db::Type;

std::vector<db::Column> claim_columns() {
  return {{"owner", Type::uuid},
          {"now", Type::timestamp},
          {"lease_until", Type::timestamp},
          {"latest", Type::timestamp},
          {"latest_early", Type::timestamp},
          {"early_attempts", Type::integer},
          {"latest_lease", Type::timestamp},
          {"page", Type::integer}};
}

db::Row claim_row(Uuid owner, Timestamp now, Timestamp lease_until, int limit) {
  return {owner,
          now,
          lease_until,
          now + longest_pause + clock_tolerance,
          now + longest_early_pause + clock_tolerance,
          std::int64_t{early_attempts},
          now + longest_lease + clock_tolerance,
          std::int64_t{limit}};
}

}  // namespace call_service::repositories
