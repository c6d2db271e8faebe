#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/models/model.hpp"

namespace call_service::models {

enum class IntentKind { delete_room, remove_participant };
std::string_view name_of(IntentKind kind);
void parse(std::string_view name, IntentKind& kind);

// Something LiveKit has yet to do: the row of table `outbox`, written in the transaction that needs it and deleted when
// it is done. One call has at most one intent to delete its room.
struct Intent {
  Uuid intent_id{};
  Uuid call_id{};
  IntentKind kind = IntentKind::delete_room;
  std::optional<std::string> identity{};         // remove_participant: who
  std::optional<std::string> participant_sid{};  // … and on which connection: no other is removed
  Timestamp created_at{};
  Timestamp due_at{};                 // not to be tried before
  int attempts = 0;                   // refused by LiveKit so far
  std::optional<Uuid> lease_owner{};  // the process that is at it
  std::optional<Timestamp> lease_until{};

  static constexpr std::string_view table = "outbox";
  static constexpr auto columns() {
    return std::tuple{
        db::column("intent_id", &Intent::intent_id),
        db::column("call_id", &Intent::call_id),
        db::column("kind", &Intent::kind),
        db::column("identity", &Intent::identity),
        db::column("participant_sid", &Intent::participant_sid),
        db::column("created_at", &Intent::created_at),
        db::column("due_at", &Intent::due_at),
        db::column("attempts", &Intent::attempts),
        db::column("lease_owner", &Intent::lease_owner),
        db::column("lease_until", &Intent::lease_until),
    };
  }
};

}  // namespace call_service::models
