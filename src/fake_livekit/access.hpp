#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "fake_livekit/messages.hpp"
#include "fake_livekit/refusal.hpp"
#include "livekit/access_token.hpp"

// What an access token allows, decided as by LiveKit: livekit/protocol, auth/verifier.go, and livekit,
// pkg/service/auth.go (server v1.13.5).
namespace call_service::fake_livekit {

struct Claims {
  std::string identity{};  // `sub`
  std::string name{};
  std::string metadata{};
  std::map<std::string, std::string> attributes{};
  std::string kind = "STANDARD";
  bool has_video = false;
  std::string room{};
  bool room_create = false;
  bool room_list = false;
  bool room_admin = false;
  bool room_join = false;
  bool can_publish = true;
  bool can_subscribe = true;
  bool can_publish_data = true;
  bool hidden = false;
  std::optional<RoomSettings> room_config{};
};

// Checks signature and times (60 s of leeway). Whatever is wrong is a 401.
Granted<Claims> verify_token(std::string_view token, const livekit::ApiKey& key, Timestamp now);

// Whether the claims let somebody join some room: 401 or 400.
std::optional<Refusal> find_join_fault(const Claims& claims);

inline constexpr std::size_t max_name_length = 256;

}  // namespace call_service::fake_livekit
