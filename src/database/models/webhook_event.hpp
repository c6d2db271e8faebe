#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/models/model.hpp"

namespace call_service::models {

// An event of LiveKit that was applied: the row of table `webhook_events`, written in the transaction that applies it,
// so that its repetition is known. Not the body: that carries the room's TURN password and names.
struct WebhookEvent {
  Uuid call_id{};
  std::string event_id{};
  std::string type{};  // LiveKit's name, without its `participant_`
  std::optional<std::string> room_sid{};
  std::optional<std::string> participant_sid{};
  std::optional<std::string> reason{};
  Timestamp occurred_at{};
  Timestamp received_at{};

  static constexpr std::string_view table = "webhook_events";
  static constexpr auto columns() {
    return std::tuple{
        db::column("call_id", &WebhookEvent::call_id),
        db::column("event_id", &WebhookEvent::event_id),
        db::column("type", &WebhookEvent::type),
        db::column("room_sid", &WebhookEvent::room_sid),
        db::column("participant_sid", &WebhookEvent::participant_sid),
        db::column("reason", &WebhookEvent::reason),
        db::column("occurred_at", &WebhookEvent::occurred_at),
        db::column("received_at", &WebhookEvent::received_at),
    };
  }
};

}  // namespace call_service::models
