#include "fake_livekit/messages.hpp"

#include <array>
#include <utility>

#include "wire/object_text.hpp"

namespace call_service::fake_livekit {
namespace {

constexpr std::array codecs{"audio/PCMU", "audio/PCMA", "audio/opus", "audio/red",  "video/VP8",
                            "video/H264", "video/VP9",  "video/AV1",  "video/H265", "video/rtx"};

std::int64_t to_seconds(Timestamp at) {
  return std::chrono::floor<Seconds>(at).time_since_epoch().count();
}

std::string codecs_json(Style style) {
  std::string list;
  for (const char* mime : codecs) {
    if (!list.empty()) list += ", ";
    list += ProtoText(style).text("mime", mime).text("fmtp_line", "").str();
  }
  return "[" + list + "]";
}

std::string attributes_json(const Participant& participant) {
  wire::ObjectText members;
  for (const auto& [name, value] : participant.attributes) members.text(name, value);
  return members.str();
}

std::string permission_json(const Participant& participant, Style style) {
  ProtoText message(style);
  message.flag("can_subscribe", participant.can_subscribe)
      .flag("can_publish", participant.can_publish)
      .flag("can_publish_data", participant.can_publish_data)
      .json("can_publish_sources", "[]", true)
      .flag("hidden", participant.hidden);
  for (const char* name :
       {"recorder", "can_update_metadata", "agent", "can_subscribe_metrics", "can_manage_agent_session"})
    message.flag(name, false);
  return message.str();
}

// Known only once the client has sent its own description.
void add_client(ProtoText& message, bool known) {
  message.number("client_protocol", known ? 2 : 0)
      .json("capabilities", known ? R"(["CAP_PACKET_TRAILER", "CAP_COMPRESSION_DEFLATE_RAW"])" : "[]", !known);
}

}  // namespace

std::string room_json(const Room& room, Style style) {
  // LiveKit refreshes the count every few seconds only; in webhooks it is nearly always missing.
  const auto count = style == Style::webhook ? 0 : static_cast<std::int64_t>(room.participants.size());
  return ProtoText(style)
      .text("sid", room.sid)
      .text("name", room.name)
      .number("empty_timeout", room.settings.empty_timeout)
      .number("departure_timeout", room.settings.departure_timeout)
      .number("max_participants", room.settings.max_participants)
      .big_number("creation_time", to_seconds(room.created_at))
      .big_number("creation_time_ms", room.created_at.time_since_epoch().count())
      .text("turn_password", room.turn_password)
      .json("enabled_codecs", codecs_json(style), false)
      .text("metadata", room.settings.metadata)
      .number("num_participants", count)
      .number("num_publishers", 0)
      .flag("active_recording", false)
      .json("version", "null", true)
      .str();
}

std::string participant_json(const Participant& participant, Style style) {
  ProtoText message(style);
  message.text("sid", participant.sid)
      .text("identity", participant.identity)
      .choice("state", participant.state, "JOINING")
      .json("tracks", "[]", true)
      .text("metadata", participant.metadata)
      .big_number("joined_at", to_seconds(participant.joined_at))
      .big_number("joined_at_ms", participant.joined_at.time_since_epoch().count())
      .text("name", participant.name)
      .number("version", 2)
      .json("permission", permission_json(participant, style), false)
      .text("region", "")
      .flag("is_publisher", false)
      .choice("kind", participant.kind, "STANDARD")
      .json("attributes", attributes_json(participant), participant.attributes.empty())
      .choice("disconnect_reason", participant.disconnect_reason, "UNKNOWN_REASON")
      .json("kind_details", "[]", true)
      .json("data_tracks", "[]", true);
  add_client(message, participant.state != "JOINING" && participant.disconnect_reason != "SIGNAL_CLOSE");
  return message.str();
}

Event make_event(std::string id, std::string_view type, const Room& room, const Participant* participant,
                 Timestamp now) {
  ProtoText message(Style::webhook);
  message.text("event", type).json("room", room_json(room, Style::webhook), false);
  if (participant != nullptr) message.json("participant", participant_json(*participant, Style::webhook), false);
  message.text("id", id).big_number("created_at", to_seconds(now));
  return {std::move(id), std::string(type), room.name, message.str(), now};
}

}  // namespace call_service::fake_livekit
