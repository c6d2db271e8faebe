#pragma once

#include <mutex>
#include <optional>

#include "base/time.hpp"
#include "livekit/webhook_verifier.hpp"

namespace call_service::services {

// When LiveKit's webhooks last came through, and why the last that did not was refused: what an operator looks at
// first. Safe on any thread.
class WebhookHistory {
 public:
  struct Snapshot {
    std::optional<Timestamp> last_accepted_at;
    std::optional<Timestamp> last_rejected_at;
    std::optional<livekit::WebhookRejection> last_rejection;
  };

  void accepted(Timestamp at) {
    const std::lock_guard lock(mutex_);
    state_.last_accepted_at = at;
  }

  void rejected(Timestamp at, livekit::WebhookRejection why) {
    const std::lock_guard lock(mutex_);
    state_.last_rejected_at = at;
    state_.last_rejection = why;
  }

  Snapshot snapshot() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }

 private:
  mutable std::mutex mutex_;
  Snapshot state_;  // guarded by mutex_
};

}  // namespace call_service::services
