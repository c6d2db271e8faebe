#pragma once

#include <expected>
#include <string>

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

  // With the header known: the hash that the body must have, or why the request is refused. Nobody else's body is read.
  std::expected<std::string, livekit::WebhookRejection> authorize(const http::Request& request);

  // With the body complete: whether it is the one that was signed.
  bool accept(const std::string& hash, const http::Request& request);

 private:
  void rejected(Timestamp now, livekit::WebhookRejection why);

  livekit::WebhookVerifier verifier_;
  const Clock& clock_;
  services::WebhookHistory& history_;
};

}  // namespace call_service::middlewares
