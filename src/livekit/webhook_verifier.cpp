#include "livekit/webhook_verifier.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "jose/base64.hpp"
#include "jose/claims.hpp"
#include "jose/digest.hpp"
#include "jose/jws.hpp"

namespace call_service::livekit {
namespace {

constexpr Seconds not_before_leeway{60};
constexpr std::chrono::minutes expiry_leeway{15};
constexpr std::string_view bearer = "Bearer ";

bool is_in_time(const wire::JsonDocument& claims, Timestamp now) {
  const auto expiry = jose::date_of(claims, "exp");
  if (!expiry || jose::to_numeric_date(now - expiry_leeway) >= *expiry) {
    return false;
  }
  if (!jose::has(claims, "nbf")) {
    return true;
  }
  const auto not_before = jose::date_of(claims, "nbf");
  return not_before && *not_before <= jose::to_numeric_date(now + not_before_leeway);
}

}  // namespace

std::string_view name_of(WebhookRejection rejection) {
  switch (rejection) {
    case WebhookRejection::issuer:
      return "issuer";
    case WebhookRejection::signature:
      return "signature";
    case WebhookRejection::expired:
      return "expired";
    case WebhookRejection::hash:
      return "hash";
  }
  return "";
}

WebhookVerifier::WebhookVerifier(std::vector<ApiKey> signers) : signers_(std::move(signers)) {}

std::expected<std::string, WebhookRejection> WebhookVerifier::verify_token(std::string_view authorization,
                                                                           Timestamp now) const {
  const std::string_view token =
      authorization.starts_with(bearer) ? authorization.substr(bearer.size()) : authorization;
  const auto payload = jose::unverified_payload_hs256(token);
  const auto claims = payload ? jose::parse_object(*payload) : std::nullopt;
  if (!claims) {
    return std::unexpected(WebhookRejection::signature);
  }
  const auto issuer = jose::text_of(*claims, "iss");
  const auto is_issuer = [&](const ApiKey& signer) { return issuer == signer.key; };
  if (std::ranges::none_of(signers_, is_issuer)) {
    return std::unexpected(WebhookRejection::issuer);
  }
  const auto has_signed = [&](const ApiKey& signer) {
    return is_issuer(signer) && jose::verify_hs256(token, signer.secret).has_value();
  };
  if (std::ranges::none_of(signers_, has_signed)) {
    return std::unexpected(WebhookRejection::signature);
  }
  if (!is_in_time(*claims, now)) {
    return std::unexpected(WebhookRejection::expired);
  }
  const auto hash = jose::text_of(*claims, "sha256");
  if (!hash) {
    return std::unexpected(WebhookRejection::hash);
  }
  return std::string(*hash);
}

bool WebhookVerifier::is_hash_of(std::string_view hash, std::string_view body) {
  return jose::equal_in_constant_time(hash, jose::encode_base64(jose::sha256(body)));
}

std::expected<void, WebhookRejection> WebhookVerifier::verify(std::string_view authorization, std::string_view body,
                                                              Timestamp now) const {
  const auto hash = verify_token(authorization, now);
  if (!hash) {
    return std::unexpected(hash.error());
  }
  if (!is_hash_of(*hash, body)) {
    return std::unexpected(WebhookRejection::hash);
  }
  return {};
}

}  // namespace call_service::livekit
