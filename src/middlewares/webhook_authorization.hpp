#pragma once

#include <optional>

#include "base/time.hpp"
#include "config.hpp"
#include "http/message.hpp"
#include "livekit/webhook_verifier.hpp"
#include "services/webhook_history.hpp"

namespace call_service::middlewares {

// Lets only requests pass that LiveKit signed, and records in `history` what came. Safe on any thread.
class WebhookAuthorization {
 public:
  // `clock` and `history` must outlive this.
  WebhookAuthorization(const Config& config, const Clock& clock, services::WebhookHistory& history);

  // With the body complete. Nothing: accepted.
  std::optional<livekit::WebhookRejection> refuse(const http::Request& request);

 private:
  livekit::WebhookVerifier verifier_;
  const Clock& clock_;
  services::WebhookHistory& history_;
};

}  // namespace call_service::middlewares
