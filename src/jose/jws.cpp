#include "jose/jws.hpp"

#include <optional>
#include <stdexcept>
#include <utility>

#include "jose/base64.hpp"
#include "jose/claims.hpp"
#include "jose/digest.hpp"

// HS256 is one HMAC, so it is done with OpenSSL and not with rhonabwy, whose 1.1.11 compares HMACs with strcmp,
// inflates the payload of a `zip` header before the signature is checked, and ignores `crit`.
namespace call_service::jose {
namespace {

// {"alg":"HS256","typ":"JWT"}
constexpr std::string_view usual_header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

// The parts as sent, still encoded.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signing_input;  // header.payload
};

std::optional<Parts> split(std::string_view token) {
  const auto first = token.find('.');
  if (first == std::string_view::npos) {
    return std::nullopt;
  }
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
               token.substr(0, second)};
}

std::expected<wire::JsonDocument, JwsError> read_header(std::string_view encoded) {
  const auto json = decode_base64url(encoded);
  auto header = json ? parse_object(*json) : std::nullopt;
  if (!header) {
    return std::unexpected(JwsError::malformed);
  }
  if (!text_of(*header, "alg") || has(*header, "crit") || has(*header, "b64")) {
    return std::unexpected(JwsError::algorithm);
  }
  return std::move(*header);
}

std::expected<void, JwsError> check_header(std::string_view encoded) {
  if (encoded == usual_header) {
    return {};
  }
  const auto header = read_header(encoded);
  if (!header) {
    return std::unexpected(header.error());
  }
  if (text_of(*header, "alg") != "HS256") {
    return std::unexpected(JwsError::algorithm);
  }
  return {};
}

std::expected<std::string, JwsError> read_payload(const Parts& parts) {
  if (const auto checked = check_header(parts.header); !checked) {
    return std::unexpected(checked.error());
  }
  auto payload = decode_base64url(parts.payload);
  if (!payload) {
    return std::unexpected(JwsError::malformed);
  }
  return std::move(*payload);
}

}  // namespace

void initialize() {
  // RFC 4231, test case 2.
  constexpr std::string_view expected = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM";
  if (encode_base64url(hmac_sha256("what do ya want for nothing?", "Jefe")) != expected) {
    throw std::runtime_error("OpenSSL computes HMAC-SHA-256 wrongly");
  }
}

std::string sign_hs256(std::string_view payload, std::string_view secret) {
  std::string token;
  token.reserve(usual_header.size() + payload.size() * 4 / 3 + 64);
  token += usual_header;
  token += '.';
  append_base64url(token, payload);
  const std::string signature = hmac_sha256(token, secret);
  token += '.';
  append_base64url(token, signature);
  return token;
}

std::expected<std::string, JwsError> unverified_payload_hs256(std::string_view token) {
  const auto parts = split(token);
  if (!parts) {
    return std::unexpected(JwsError::malformed);
  }
  return read_payload(*parts);
}

std::expected<std::string, JwsError> verify_hs256(std::string_view token, std::string_view secret) {
  const auto parts = split(token);
  if (!parts) {
    return std::unexpected(JwsError::malformed);
  }
  auto payload = read_payload(*parts);
  if (!payload) {
    return payload;
  }
  const auto signature = decode_base64url(parts->signature);
  if (!signature) {
    return std::unexpected(JwsError::malformed);
  }
  if (secret.empty() || !equal_in_constant_time(*signature, hmac_sha256(parts->signing_input, secret))) {
    return std::unexpected(JwsError::signature);
  }
  return payload;
}

std::expected<UnverifiedJws, JwsError> read_jws(std::string_view token) {
  const auto parts = split(token);
  if (!parts) {
    return std::unexpected(JwsError::malformed);
  }
  const auto header = read_header(parts->header);
  if (!header) {
    return std::unexpected(header.error());
  }
  const auto kid = text_of(*header, "kid");
  auto payload = decode_base64url(parts->payload);
  auto signature = decode_base64url(parts->signature);
  if (!payload || !signature || has(*header, "kid") != kid.has_value()) {
    return std::unexpected(JwsError::malformed);
  }
  return UnverifiedJws{.alg = std::string(*text_of(*header, "alg")),
                       .kid = kid ? std::optional(std::string(*kid)) : std::nullopt,
                       .payload = std::move(*payload),
                       .signature = std::move(*signature),
                       .signing_input = parts->signing_input};
}

}  // namespace call_service::jose
