#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

// LiveKit's WebhookEvent (livekit/protocol, livekit_webhook.proto) in protojson: camelCase or snake_case, int64 as text
// or number, defaults left out.
namespace call_service::livekit {

enum class EventType {
  room_started,
  room_finished,
  participant_joined,
  participant_left,
  participant_connection_aborted,
  other,
};

// The name on the wire; "other" for other.
std::string_view name_of(EventType type);

struct EventRoom {
  std::string sid{};
  std::string name{};
  std::optional<Timestamp> created_at{};  // creationTimeMs, else creationTime
};

struct EventParticipant {
  std::string sid{};
  std::string identity{};
  std::string kind = "STANDARD";
  std::optional<Timestamp> joined_at{};     // joinedAtMs, else joinedAt
  std::optional<std::string> session_id{};  // attributes.session_id
  std::string disconnect_reason{};          // as on the wire, "UNKNOWN_REASON" when left out
};

struct WebhookEvent {
  std::string id{};
  EventType type = EventType::other;
  std::string type_name{};  // as sent
  Timestamp created_at{};   // whole seconds; 1970 when left out
  std::optional<EventRoom> room{};
  std::optional<EventParticipant> participant{};
};

// Reads a body that was verified. The error says what is malformed; unknown members and event names are no error.
std::expected<WebhookEvent, std::string> parse_webhook_event(std::string_view body);

}  // namespace call_service::livekit
