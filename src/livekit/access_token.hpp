#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"
#include "base/uuid.hpp"

// LiveKit's access tokens: livekit/protocol, auth/accesstoken.go and auth/grants.go (server v1.13.5).
namespace call_service::livekit {

// An API key of LiveKit and its secret.
struct ApiKey {
  std::string key{};
  std::string secret{};
};

// A token with which one user joins one room, and nothing else.
struct JoinGrant {
  std::string identity{};  // `sub`
  std::string name{};
  std::string room{};
  Uuid call_id{};        // attributes.call_id
  Uuid session_id{};     // attributes.session_id
  Timestamp issued_at;   // `nbf`, cut to seconds
  Timestamp expires_at;  // `exp`, cut to seconds
  // roomConfig: applied by the join that creates the room
  Seconds empty_timeout{};
  Seconds departure_timeout{};
  std::optional<int> max_participants{};
};

std::string make_join_token(const ApiKey& key, const JoinGrant& grant);

// A token for RoomService calls on one room (roomCreate, roomList, roomAdmin), never handed out. Valid 60 s.
std::string make_service_token(const ApiKey& key, const std::string& room, Timestamp now);

}  // namespace call_service::livekit
