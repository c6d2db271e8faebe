#pragma once

#include <optional>

#include "base/time.hpp"
#include "database/repositories/call_repository.hpp"

namespace call_service::services {

// The room of an ended call is there again: when it is to be deleted. Nullopt: a deletion that was asked for when this
// room was known already covers it. At once the first time; whoever comes back again and again has the room deleted
// once a second, and after ten times in a minute once in five seconds, so that LiveKit is not worn out.
// `is_known_room`: the event is about the newest room that the call knows of.
std::optional<Timestamp> next_deletion(const repositories::RoomDeletions& past, bool is_known_room, Timestamp now);

// How far back deletions count.
inline constexpr Seconds deletions_count_for{60};

}  // namespace call_service::services
