#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "livekit/access_token.hpp"

namespace call_service::livekit {

// Why a webhook request was refused; told to operators in /ready, never to the sender.
enum class WebhookRejection { issuer, signature, expired, hash };

// "issuer" | "signature" | "expired" | "hash"
std::string_view name_of(WebhookRejection rejection);

// Checks that a webhook request was signed by LiveKit: livekit/protocol, webhook/verifier.go. Immutable, safe on any
// thread.
class WebhookVerifier {
 public:
  // Several signers may share a key name (rotation of the secret): each is tried.
  explicit WebhookVerifier(std::vector<ApiKey> signers);

  // `authorization` is the header's value, with or without "Bearer ". `body` are the raw bytes. `nbf` has 60 s of
  // leeway, `exp` 15 min (a retry carries the first attempt's token); `exp` and `sha256` are required.
  std::expected<void, WebhookRejection> verify(std::string_view authorization, std::string_view body,
                                               Timestamp now) const;

 private:
  std::vector<ApiKey> signers_;
};

}  // namespace call_service::livekit
