#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/models/model.hpp"
#include "wire/field.hpp"

namespace call_service::models {

// Who asked for something over the API.
struct Actor {
  std::string id{};    // a user id or the name of a service key
  std::string type{};  // user | service
};

// One change of a call or of a session in it: the row of table `timeline`, written in the transaction that makes the
// change and never altered. `seq` counts 1, 2, … within the call, in the order in which changes were applied.
struct TimelineEntry {
  Uuid call_id{};
  std::int64_t seq = 0;
  Timestamp at{};                          // when it was applied
  std::optional<Timestamp> occurred_at{};  // when it happened, as LiveKit tells; nullopt: at `at`
  std::string type{};                      // call.started, session.joined, …
  std::string cause{};                     // api | webhook | reconciler | timer
  std::optional<std::string> actor{};
  std::optional<std::string> actor_type{};
  std::optional<Uuid> session_id{};
  std::optional<std::string> event_id{};
  std::optional<wire::JsonObject> detail{};

  static constexpr std::string_view table = "timeline";
  static constexpr auto columns() {
    return std::tuple{
        db::column("call_id", &TimelineEntry::call_id),
        db::column("seq", &TimelineEntry::seq),
        db::column("at", &TimelineEntry::at),
        db::column("occurred_at", &TimelineEntry::occurred_at),
        db::column("type", &TimelineEntry::type),
        db::column("cause", &TimelineEntry::cause),
        db::column("actor", &TimelineEntry::actor),
        db::column("actor_type", &TimelineEntry::actor_type),
        db::column("session_id", &TimelineEntry::session_id),
        db::column("event_id", &TimelineEntry::event_id),
        db::column("detail", &TimelineEntry::detail),
    };
  }
};

}  // namespace call_service::models
