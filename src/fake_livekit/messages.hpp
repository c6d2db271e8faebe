#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "fake_livekit/proto_text.hpp"

// What LiveKit knows and tells: livekit/protocol, livekit_models.proto and livekit_webhook.proto (server v1.13.5).
namespace call_service::fake_livekit {

struct RoomSettings {
  std::int64_t empty_timeout = 300;     // seconds until a room that nobody entered is closed
  std::int64_t departure_timeout = 20;  // and one that everybody has left
  std::int64_t max_participants = 0;    // 0: any number
  std::string metadata{};
};

struct Participant {
  std::string sid{};
  std::string identity{};
  std::string name{};
  std::string metadata{};
  std::map<std::string, std::string> attributes{};
  std::string kind = "STANDARD";
  std::string state = "ACTIVE";  // JOINING: no media yet
  Timestamp joined_at{};
  bool can_publish = true;
  bool can_subscribe = true;
  bool can_publish_data = true;
  bool hidden = false;
  std::string disconnect_reason = "UNKNOWN_REASON";
  std::optional<Timestamp> lost_at{};  // when LiveKit will notice that the client is gone
};

struct Room {
  std::string sid{};
  std::string name{};
  RoomSettings settings{};
  Timestamp created_at{};
  std::string turn_password{};
  std::vector<Participant> participants{};
  std::optional<Timestamp> closes_at{};  // while it is empty
};

// A webhook as it is queued.
struct Event {
  std::string id{};
  std::string type{};
  std::string room{};  // its name
  std::string body{};
  Timestamp queued_at{};
};

std::string room_json(const Room& room, Style style);
std::string participant_json(const Participant& participant, Style style);

// `participant` may be null.
Event make_event(std::string id, std::string_view type, const Room& room, const Participant* participant,
                 Timestamp now);

}  // namespace call_service::fake_livekit
