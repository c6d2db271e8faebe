#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "config.hpp"
#include "http/message.hpp"
#include "services/caller.hpp"

namespace call_service::middlewares {

using services::Caller;

// Decides who the caller is. Immutable after construction, safe on any thread.
class Authorizer {
 public:
  // Uses auth_api_keys (kept as SHA-256 only, compared in constant time) and the auth_jwt_* members. `clock` must
  // outlive this.
  Authorizer(const Config& config, const Clock& clock);

  // The caller, or the cause of the refusal for the log. A client gets one and the same 401 for all causes.
  // `Authorization: Bearer <service key or user token>`, or `X-API-Key: <service key>`; both at once only if equal;
  // each header at most once. User tokens: HS256; `exp` and `sub` (a valid user id) required, `nbf` checked when
  // present, `iss` and `aud` when configured, 30 s of leeway.
  std::expected<Caller, std::string> authorize(const http::Request& request) const;

 private:
  struct HashedKey {
    std::string name;
    std::string sha256;
  };

  std::expected<Caller, std::string> from_user_token(const std::string& token) const;
  std::optional<Caller> from_service_key(const std::string& key) const;

  std::vector<HashedKey> keys_;
  std::vector<std::string> jwt_secrets_;
  std::optional<std::string> issuer_;
  std::optional<std::string> audience_;
  const Clock& clock_;
};

// A user token by `secret`, as `call-service token` prints it.
std::string make_user_token(const std::string& user_id, const std::string& secret, Timestamp now, Seconds ttl,
                            const std::optional<std::string>& issuer, const std::optional<std::string>& audience);

}  // namespace call_service::middlewares
