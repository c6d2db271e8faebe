#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/task.hpp"
#include "fake_livekit/faults.hpp"
#include "fake_livekit/journal.hpp"
#include "fake_livekit/room_service.hpp"

namespace call_service::fake_livekit {

// A request to RoomService, noted when it came.
struct SeenRequest {
  std::int64_t seq = 0;
  Timestamp at{};
  std::string method{};
  std::string room{};
  std::string body{};
  std::string authorization{};
  std::string fault{};  // that struck it
  int status = 0;       // of the answer; 0: none yet
};

// The port where LiveKit would be: RoomService with its faults, /rtc/validate and the health check. Safe on any thread.
class Front {
 public:
  Front(RoomService service, FaultBook& faults, const Clock& clock)
      : service_(std::move(service)), faults_(faults), clock_(clock) {}

  Task<http::Response> answer(const http::Request& request);
  const Journal<SeenRequest>& requests() const { return requests_; }

 private:
  Task<http::Response> serve(const http::Request& request);
  Task<http::Response> serve(const http::Request& request, const std::string& method, const Fault& fault);

  RoomService service_;
  FaultBook& faults_;
  const Clock& clock_;
  Journal<SeenRequest> requests_;
};

}  // namespace call_service::fake_livekit
