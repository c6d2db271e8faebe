#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

// Compact JWS (RFC 7515). Safe on any thread.
namespace call_service::jose {

// Call once at start: throws if the cryptographic library cannot do what tokens need.
void initialize();

// Signs the payload bytes as they are: header {"alg":"HS256","typ":"JWT"}, key = the secret's raw bytes.
std::string sign_hs256(std::string_view payload, std::string_view secret);

// malformed: not three parts of strict base64url, or a header that is no JSON object or names a member twice
// algorithm: not HS256 (for read_jws: no alg), or a header with `crit` or `b64`
// signature: wrong, or made with another secret
enum class JwsError { malformed, algorithm, signature };

// The payload of a compact JWS, its signature not yet checked. Refuses everything but alg HS256 without `crit`; header
// keys (jku, jwk, x5u, x5c) are never looked at.
std::expected<std::string, JwsError> unverified_payload_hs256(std::string_view token);

// The payload, if the signature is right (compared in constant time). An empty secret verifies nothing.
std::expected<std::string, JwsError> verify_hs256(std::string_view token, std::string_view secret);

// Any compact JWS taken apart, nothing of it verified.
struct UnverifiedJws {
  std::string alg{};
  std::optional<std::string> kid{};
  std::string payload{};             // decoded
  std::string signature{};           // decoded
  std::string_view signing_input{};  // of the token that was read
};

// malformed also if `kid` is no text. Verify with jose::KeySet.
std::expected<UnverifiedJws, JwsError> read_jws(std::string_view token);

}  // namespace call_service::jose
