#pragma once

#include <optional>
#include <string_view>
#include <tuple>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/models/model.hpp"

namespace call_service::models {

// A room that LiveKit has yet to create for an active call: the row of table `room_creations`, written before LiveKit
// is asked and deleted when it is done. A table of its own, not a kind of outbox intent: the release before does not
// know that kind and would stumble over it.
struct RoomCreation {
  Uuid call_id{};
  Uuid creation_id{};             // another one when it is asked for anew
  int empty_timeout_seconds = 0;  // how long LiveKit keeps the room before the first participant
  Timestamp due_at{};             // not to be tried before
  int attempts = 0;               // refused by LiveKit so far
  std::optional<Uuid> lease_owner{};
  std::optional<Timestamp> lease_until{};

  static constexpr std::string_view table = "room_creations";
  static constexpr auto columns() {
    return std::tuple{
        db::column("call_id", &RoomCreation::call_id),
        db::column("creation_id", &RoomCreation::creation_id),
        db::column("empty_timeout_seconds", &RoomCreation::empty_timeout_seconds),
        db::column("due_at", &RoomCreation::due_at),
        db::column("attempts", &RoomCreation::attempts),
        db::column("lease_owner", &RoomCreation::lease_owner),
        db::column("lease_until", &RoomCreation::lease_until),
    };
  }
};

}  // namespace call_service::models
