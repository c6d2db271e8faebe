#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "base/time.hpp"
#include "config.hpp"
#include "http/message.hpp"
#include "services/caller.hpp"
#include "services/jwks_service.hpp"

namespace call_service::middlewares {

using services::Caller;

// Decides who the caller is. Safe on any thread.
class Authorizer {
 public:
  struct Refusal {
    std::string cause;            // for the log
    bool key_is_unknown = false;  // a user token's key is not among those that were last read: refresh_keys() may help
  };

  // Uses auth_api_keys (kept as SHA-256 only, compared in constant time) and the auth_jwt_* members. `jwks` is nullptr
  // without auth_jwks_url. `clock` and `jwks` must outlive this.
  Authorizer(const Config& config, const Clock& clock, services::JwksService* jwks = nullptr);

  // The caller, or why not. A client gets one and the same 401 for all causes.
  // `Authorization: Bearer <service key or user token>`, or `X-API-Key: <service key>`; both at once only if equal;
  // each header at most once. User tokens: HS256 by a secret, or RS256, ES256, EdDSA by a key of the JWK set; `exp` and
  // `sub` (a valid user id) required, `nbf` checked when present, `iss` and `aud` when configured, 30 s of leeway.
  std::expected<Caller, Refusal> authorize(const http::Request& request) const;

  // Reads the JWK set anew, as often as services::JwksService allows.
  Task<void> refresh_keys() const;

 private:
  struct HashedKey {
    std::string name;
    std::string sha256;
  };

  std::expected<Caller, Refusal> from_user_token(std::string_view token) const;
  std::expected<std::string, Refusal> verify(std::string_view token) const;
  std::expected<std::string, Refusal> verify_by_key(std::string_view token) const;
  std::optional<Caller> from_service_key(std::string_view key) const;

  std::vector<HashedKey> keys_;
  std::vector<std::string> jwt_secrets_;
  std::optional<std::string> issuer_;
  std::optional<std::string> audience_;
  const Clock& clock_;
  services::JwksService* const jwks_;
};

// A user token by `secret`, as `call-service token` prints it.
std::string make_user_token(const std::string& user_id, const std::string& secret, Timestamp now, Seconds ttl,
                            const std::optional<std::string>& issuer, const std::optional<std::string>& audience);

}  // namespace call_service::middlewares
