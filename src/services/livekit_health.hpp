#pragma once

#include <atomic>

namespace call_service::services {

// What is known of LiveKit's API; written by LivekitProbe, read on any thread.
struct LivekitHealth {
  std::atomic<bool> reachable{true};
  // The newest answer was of a LiveKit that takes our key. False until there was one.
  std::atomic<bool> accepts_us{false};

  // Whether this process can do anything with LiveKit. Who cannot leaves the work to others.
  bool can_be_asked() const { return reachable && accepts_us; }
};

}  // namespace call_service::services
