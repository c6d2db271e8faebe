#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wire/json.hpp"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace call_service::jose {

enum class Algorithm { rs256, es256, eddsa };

// "RS256", "ES256" or "EdDSA" (RFC 7518, 3.1; RFC 8037, 3.1); nothing for any other name.
std::optional<Algorithm> algorithm_named(std::string_view name);

// A key that verifies signatures of exactly one algorithm, and nothing else. Immutable, safe on any thread, cheap to
// copy.
class PublicKey {
 public:
  // From a JWK (RFC 7517): RSA of 2048 to 8192 bits for RS256, EC on P-256 for ES256, OKP on Ed25519 for EdDSA, each
  // only if its `use`, `key_ops` and `alg` are absent or agree. Or why it is not used, without its content. Members of
  // private keys and certificates are not looked at.
  static std::expected<PublicKey, std::string> from_jwk(const wire::JsonView& jwk);

  const std::optional<std::string>& kid() const { return kid_; }
  Algorithm algorithm() const { return algorithm_; }

  // Both raw bytes; an ES256 signature is r||s, exactly 64 bytes (RFC 7518, 3.4). Throws std::runtime_error if OpenSSL
  // fails for another reason than a wrong signature.
  bool verify(std::string_view signed_text, std::string_view signature) const;

 private:
  PublicKey(Algorithm algorithm, std::shared_ptr<evp_pkey_st> key) : algorithm_(algorithm), key_(std::move(key)) {}

  std::optional<std::string> kid_;
  Algorithm algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace call_service::jose
