#pragma once

#include <optional>

#include "base/time.hpp"
#include "database/repositories/call_repository.hpp"

namespace call_service::services {

// Word of the room of an ended call.
struct SignOfLife {
  bool is_known_room = false;  // the newest that the call knows of
  bool is_pending = false;     // a deletion is asked for and not done
  Timestamp latest{};          // the room was there then, or a little later
};

// When the room is to be deleted. Nullopt: a deletion that was asked for when this room was known already covers it,
// as it is still to come, or was done after the sign. At once the first time; whoever comes back again and again has
// the room deleted once a second, and after ten times in a minute once in five seconds, so that LiveKit is not worn
// out.
std::optional<Timestamp> next_deletion(const repositories::RoomDeletions& past, const SignOfLife& sign, Timestamp now);

// How far back deletions count.
inline constexpr Seconds deletions_count_for{60};

}  // namespace call_service::services
