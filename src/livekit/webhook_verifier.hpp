#pragma once

#include <expected>
#include <string>
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

  // The hash that a request's body must have, if LiveKit signed the token: what can be known before the body is read.
  // `authorization` is the header's value, with or without "Bearer ". `nbf` has 60 s of leeway, `exp` 15 min (a retry
  // carries the first attempt's token); `exp` and `sha256` are required.
  std::expected<std::string, WebhookRejection> verify_token(std::string_view authorization, Timestamp now) const;

  // The whole check; `body` are the raw bytes.
  std::expected<void, WebhookRejection> verify(std::string_view authorization, std::string_view body,
                                               Timestamp now) const;

  // Whether the body is the one that was signed for; `hash` comes from verify_token().
  static bool is_hash_of(std::string_view hash, std::string_view body);

 private:
  std::vector<ApiKey> signers_;
};

}  // namespace call_service::livekit
