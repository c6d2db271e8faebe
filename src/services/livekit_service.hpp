#pragma once

#include <string>

#include "base/time.hpp"
#include "config.hpp"
#include "database/models/call.hpp"
#include "database/models/session.hpp"
#include "livekit/access_token.hpp"

namespace call_service::services {

// What a client needs to connect to LiveKit.
struct Ticket {
  std::string token{};
  Timestamp expires_at{};
  std::string url{};
};

// Hands out LiveKit tokens. Immutable, safe on any thread.
class LivekitService {
 public:
  explicit LivekitService(const Config& config);

  // When a token handed out at `now` expires.
  Timestamp expiry(Timestamp now) const;

  // The token for one session of a call, valid until `expires_at`.
  Ticket ticket(const models::Call& call, const models::Session& session, Timestamp now, Timestamp expires_at) const;

  // As in the tokens' roomConfig.
  Seconds empty_timeout() const { return empty_timeout_; }
  Seconds departure_timeout() const { return departure_timeout_; }

 private:
  livekit::ApiKey key_;
  std::string url_{};
  Seconds token_ttl_;
  Seconds empty_timeout_;
  Seconds departure_timeout_;
};

}  // namespace call_service::services
