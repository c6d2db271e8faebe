#pragma once

#include <string>
#include <string_view>

#include "fake_livekit/access.hpp"
#include "fake_livekit/world.hpp"
#include "http/message.hpp"
#include "wire/json.hpp"

namespace call_service::fake_livekit {

inline constexpr std::string_view room_service_path = "/twirp/livekit.RoomService/";

// A Twirp error; `meta` is the invalid route of bad_route.
http::Response twirp_error(int status, std::string_view code, std::string_view message, std::string_view meta = {});

// The request of a RoomService method, as far as it can be understood.
struct RoomRequest {
  std::string method{};
  std::string room{};  // `room`, or `name` of CreateRoom
};

// RoomService over Twirp's JSON, as LiveKit v1.13.5 answers it: pkg/service/roomservice.go, utils/xtwirp. Safe on any
// thread.
class RoomService {
 public:
  RoomService(World& world, livekit::ApiKey key, const Clock& clock)
      : world_(world), key_(std::move(key)), clock_(clock) {}

  static RoomRequest describe(const http::Request& request);
  http::Response answer(const http::Request& request) const;
  // GET /rtc/validate?access_token=…
  http::Response validate(const http::Request& request) const;

 private:
  http::Response carry_out(const std::string& method, const http::Request& request, const Claims& claims) const;

  World& world_;
  livekit::ApiKey key_;
  const Clock& clock_;
};

}  // namespace call_service::fake_livekit
