#include "services/tombstone.hpp"

#include <algorithm>

#include "database/repositories/claim.hpp"

namespace call_service::services {

namespace {

constexpr std::int64_t patient_until = 10;

Milliseconds pause_after(std::int64_t deletions) {
  if (deletions <= 1) return Milliseconds(0);
  return deletions <= patient_until ? Seconds(1) : repositories::longest_early_pause;
}

}  // namespace

// Counted from the last deletion done, not asked for: else each asking would put it off again.
std::optional<Timestamp> next_deletion(const repositories::RoomDeletions& past, const SignOfLife& sign, Timestamp now) {
  const bool is_older = sign.is_pending || (past.last_done && sign.latest < *past.last_done);
  if (sign.is_known_room && past.cover_known_room && is_older) return std::nullopt;
  if (!past.last_done) return now;
  // The last one may be of a clock that was ahead.
  return std::max(now, std::min(*past.last_done, now) + pause_after(past.done));
}

}  // namespace call_service::services
