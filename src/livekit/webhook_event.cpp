#include "livekit/webhook_event.hpp"

#include <array>
#include <utility>

#include "livekit/protojson.hpp"

namespace call_service::livekit {
namespace {

using protojson::Read;

constexpr std::array<std::pair<EventType, std::string_view>, 5> known_events{{
    {EventType::room_started, "room_started"},
    {EventType::room_finished, "room_finished"},
    {EventType::participant_joined, "participant_joined"},
    {EventType::participant_left, "participant_left"},
    {EventType::participant_connection_aborted, "participant_connection_aborted"},
}};

EventType type_of(std::string_view name) {
  for (const auto& [type, type_name] : known_events) {
    if (type_name == name) {
      return type;
    }
  }
  return EventType::other;
}

bool is_about_participant(EventType type) {
  return type == EventType::participant_joined || type == EventType::participant_left ||
         type == EventType::participant_connection_aborted;
}

// Moves what was read into `target`, or keeps the first fault.
template <typename T, typename Target>
void take(std::string& fault, Read<T> read, Target& target) {
  if (read) {
    target = std::move(*read);
  } else if (fault.empty()) {
    fault = std::move(read.error());
  }
}

Read<EventRoom> read_room(wire::JsonView message) {
  EventRoom room;
  std::string fault;
  take(fault, protojson::read_id(message, {"sid", "sid"}), room.sid);
  take(fault, protojson::read_id(message, {"name", "name"}), room.name);
  take(fault, protojson::read_time(message, {"creationTimeMs", "creation_time_ms"}, {"creationTime", "creation_time"}),
       room.created_at);
  if (!fault.empty()) {
    return std::unexpected("room." + fault);
  }
  return room;
}

Read<EventParticipant> read_participant(wire::JsonView message) {
  EventParticipant participant;
  std::string fault;
  take(fault, protojson::read_id(message, {"sid", "sid"}), participant.sid);
  take(fault, protojson::read_id(message, {"identity", "identity"}), participant.identity);
  take(fault, protojson::read_enum(message, {"kind", "kind"}, participant_kinds), participant.kind);
  take(fault, protojson::read_time(message, {"joinedAtMs", "joined_at_ms"}, {"joinedAt", "joined_at"}),
       participant.joined_at);
  take(fault, protojson::read_session_id(message), participant.session_id);
  take(fault, protojson::read_enum(message, {"disconnectReason", "disconnect_reason"}, disconnect_reasons),
       participant.disconnect_reason);
  if (!fault.empty()) {
    return std::unexpected("participant." + fault);
  }
  return participant;
}

// Reads a sub-message with `read`; nullopt if absent.
template <typename T>
Read<std::optional<T>> read_part(wire::JsonView event, protojson::Name name, Read<T> (*read)(wire::JsonView)) {
  const auto part = protojson::read_object(event, name);
  if (!part) {
    return std::unexpected(part.error());
  }
  const std::optional<wire::JsonView>& message = *part;
  if (!message) {
    return std::nullopt;
  }
  auto value = read(*message);
  if (!value) {
    return std::unexpected(std::move(value.error()));
  }
  return std::move(*value);
}

// The first thing missing that an event of this type must have, or "".
std::string_view find_missing(const WebhookEvent& event) {
  if (event.id.empty()) {
    return "id is missing";
  }
  if (event.type_name.empty()) {
    return "event is missing";
  }
  if (event.type == EventType::other) {
    return "";
  }
  if (!event.room || event.room->sid.empty() || event.room->name.empty()) {
    return "room, its sid or its name is missing";
  }
  if (is_about_participant(event.type) &&
      (!event.participant || event.participant->sid.empty() || event.participant->identity.empty())) {
    return "participant, its sid or its identity is missing";
  }
  return "";
}

}  // namespace

std::string_view name_of(EventType type) {
  for (const auto& [known, name] : known_events) {
    if (known == type) {
      return name;
    }
  }
  return "other";
}

std::expected<WebhookEvent, std::string> parse_webhook_event(std::string_view body) {
  const auto document = wire::JsonDocument::parse(body);
  if (!document || document->root().kind() != wire::JsonKind::object) {
    return std::unexpected("not a JSON object");
  }
  const wire::JsonView message = document->root();
  WebhookEvent event;
  std::string fault;
  std::int64_t created_at = 0;
  take(fault, protojson::read_id(message, {"id", "id"}), event.id);
  take(fault, protojson::read_id(message, {"event", "event"}), event.type_name);
  take(fault, protojson::read_count(message, {"createdAt", "created_at"}, protojson::max_seconds), created_at);
  take(fault, read_part(message, {"room", "room"}, read_room), event.room);
  take(fault, read_part(message, {"participant", "participant"}, read_participant), event.participant);
  event.type = type_of(event.type_name);
  event.created_at = Timestamp(Seconds(created_at));
  if (fault.empty()) {
    fault = find_missing(event);
  }
  if (!fault.empty()) {
    return std::unexpected(std::move(fault));
  }
  return event;
}

}  // namespace call_service::livekit
