#pragma once

#include <optional>
#include <string>
#include <vector>

#include "database/models/timeline_entry.hpp"
#include "services/call_rules.hpp"

namespace call_service::rules {

// Whose word changed the call.
struct Told {
  std::string_view cause{};  // webhook | reconciler | timer
  std::optional<std::string> event_id{};
  std::optional<RoomFact> room_finished{};  // set where that is what LiveKit tells
  Timestamp now{};
};

// What a decision changed, entry by entry, numbered on from the last one read: the room, the call, its sessions, what
// LiveKit is asked for. A pure function; nothing where nothing changed.
std::vector<models::TimelineEntry> timeline_of(const CallState& before, const Changes& after, const Told& told);

}  // namespace call_service::rules
