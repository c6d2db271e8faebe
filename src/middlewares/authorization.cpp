#include "middlewares/authorization.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "jose/claims.hpp"
#include "jose/digest.hpp"
#include "jose/jws.hpp"
#include "schemas/text_rules.hpp"
#include "wire/write.hpp"

namespace call_service::middlewares {
namespace {

constexpr Seconds leeway{30};

std::unexpected<Authorizer::Refusal> refuse(std::string cause) {
  return std::unexpected(Authorizer::Refusal{.cause = std::move(cause)});
}

// The token of "Bearer <token>", the scheme in any case; nullopt for another scheme or without a token.
std::optional<std::string_view> bearer_token(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  const auto equals_lower = [](char sent, char lower) {
    return (sent >= 'A' && sent <= 'Z' ? static_cast<char>(sent - 'A' + 'a') : sent) == lower;
  };
  if (authorization.size() <= scheme.size() ||
      !std::ranges::equal(authorization.substr(0, scheme.size()), scheme, equals_lower)) {
    return std::nullopt;
  }
  const auto begin = authorization.find_first_not_of(' ', scheme.size());
  return begin == std::string_view::npos ? std::nullopt : std::optional(authorization.substr(begin));
}

std::string_view describe(jose::JwsError error) {
  switch (error) {
    case jose::JwsError::malformed:
      return "neither a known service key nor a JWT";
    case jose::JwsError::algorithm:
      return "user token: algorithm or header not accepted";
    case jose::JwsError::signature:
      return "user token: wrong signature";
  }
  return "";
}

std::string_view describe(jose::KeySet::Verdict verdict) {
  using enum jose::KeySet::Verdict;
  switch (verdict) {
    case verified:
      return "";
    case algorithm:
      return "user token: algorithm not accepted, or not the one of its key";
    case unknown_key:
      return "user token: no key of the JWK set has its kid or fits";
    case ambiguous:
      return "user token: without kid, and several keys fit";
    case signature:
      return "user token: wrong signature";
  }
  return "";
}

struct Credential {
  std::string_view text;   // in the request's header
  bool may_be_user_token;  // came without X-API-Key
};

std::expected<Credential, Authorizer::Refusal> read_credential(const http::Request& request) {
  const std::string* authorization = request.header("Authorization");
  const std::string* api_key = request.header("X-API-Key");
  if (authorization == nullptr && api_key == nullptr) {
    return refuse("no credential");
  }
  if (request.header_count("Authorization") > 1 || request.header_count("X-API-Key") > 1) {
    return refuse("a credential header occurs twice");
  }
  if (authorization == nullptr) {
    return Credential{*api_key, false};
  }
  const auto token = bearer_token(*authorization);
  if (!token) {
    return refuse("Authorization is not of the form Bearer <token>");
  }
  if (api_key != nullptr && !jose::equal_in_constant_time(*token, *api_key)) {
    return refuse("Authorization and X-API-Key differ");
  }
  return Credential{*token, api_key == nullptr};
}

// What is wrong with the token's times, or "".
std::string_view check_times(const wire::JsonDocument& claims, Timestamp now) {
  const auto expiry = jose::date_of(claims, "exp");
  if (!expiry) {
    return "user token: exp is missing or no number";
  }
  if (jose::to_numeric_date(now - leeway) >= *expiry) {
    return "user token: expired";
  }
  if (!jose::has(claims, "nbf")) {
    return "";
  }
  const auto not_before = jose::date_of(claims, "nbf");
  if (!not_before) {
    return "user token: nbf is no number";
  }
  return *not_before > jose::to_numeric_date(now + leeway) ? "user token: not valid yet" : "";
}

bool has_audience(const wire::JsonDocument& claims, const std::string& audience) {
  const auto claimed = claims.root().find("aud");
  const auto is_audience = [&](const wire::JsonView& value) {
    return value.kind() == wire::JsonKind::string && value.text() == audience;
  };
  if (!claimed) {
    return false;
  }
  bool found = is_audience(*claimed);
  if (claimed->kind() == wire::JsonKind::array) {
    claimed->for_each_element([&](const wire::JsonView& value) { found = found || is_audience(value); });
  }
  return found;
}

std::optional<std::string> display_name_of(const wire::JsonDocument& claims) {
  const auto name = jose::text_of(claims, "name");
  if (!name) {
    return std::nullopt;
  }
  const std::size_t length = count_code_points(*name);
  if (length < schemas::display_name.min_length || length > schemas::display_name.max_length ||
      schemas::check_display_name(*name)) {
    return std::nullopt;
  }
  return std::string(*name);
}

void append_claim(std::string& json, std::string_view name, const std::optional<std::string>& value) {
  if (value) {
    json += ",\"";
    json += name;
    json += "\":";
    wire::append_string(json, *value);
  }
}

}  // namespace

Authorizer::Authorizer(const Config& config, const Clock& clock, services::JwksService* jwks)
    : issuer_(config.auth_jwt_issuer), audience_(config.auth_jwt_audience), clock_(clock), jwks_(jwks) {
  for (const ServiceKey& key : config.auth_api_keys) {
    keys_.push_back({key.name, jose::sha256(key.key)});
  }
  for (const auto& secret : {config.auth_jwt_secret, config.auth_jwt_secret_previous}) {
    if (secret) {
      jwt_secrets_.push_back(*secret);
    }
  }
}

std::expected<Caller, Authorizer::Refusal> Authorizer::authorize(const http::Request& request) const {
  const auto credential = read_credential(request);
  if (!credential) {
    return std::unexpected(credential.error());
  }
  if (auto caller = from_service_key(credential->text)) {
    return std::move(*caller);
  }
  if (!credential->may_be_user_token) {
    return refuse("unknown service key");
  }
  return from_user_token(credential->text);
}

std::optional<Caller> Authorizer::from_service_key(std::string_view key) const {
  if (keys_.empty()) {
    return std::nullopt;
  }
  const std::string digest = jose::sha256(key);
  const HashedKey* found = nullptr;
  for (const HashedKey& known : keys_) {
    if (jose::equal_in_constant_time(known.sha256, digest)) {
      found = &known;
    }
  }
  if (found == nullptr) {
    return std::nullopt;
  }
  return Caller{Caller::Type::service, found->name, std::nullopt};
}

// The payload. A secret verifies HS256 and a key what is its own, so neither can be taken for the other.
std::expected<std::string, Authorizer::Refusal> Authorizer::verify(std::string_view token) const {
  if (jwks_ != nullptr && jwt_secrets_.empty()) {
    return verify_by_key(token);
  }
  std::expected<std::string, jose::JwsError> payload = std::unexpected(jose::JwsError::malformed);
  for (const std::string& secret : jwt_secrets_) {
    payload = jose::verify_hs256(token, secret);
    if (payload || payload.error() != jose::JwsError::signature) {
      break;
    }
  }
  if (payload) {
    return std::move(*payload);
  }
  if (jwks_ != nullptr && payload.error() == jose::JwsError::algorithm) {
    return verify_by_key(token);
  }
  return refuse(std::string(describe(payload.error())));
}

std::expected<std::string, Authorizer::Refusal> Authorizer::verify_by_key(std::string_view token) const {
  auto jws = jose::read_jws(token);
  if (!jws) {
    return refuse(std::string(describe(jws.error())));
  }
  const auto verdict = jwks_->keys()->verify(*jws);
  if (verdict != jose::KeySet::Verdict::verified) {
    return std::unexpected(Refusal{.cause = std::string(describe(verdict)),
                                   .key_is_unknown = verdict == jose::KeySet::Verdict::unknown_key});
  }
  return std::move(jws->payload);
}

Task<void> Authorizer::refresh_keys() const {
  if (jwks_ != nullptr) {
    co_await jwks_->refresh();
  }
}

std::expected<Caller, Authorizer::Refusal> Authorizer::from_user_token(std::string_view token) const {
  const auto payload = verify(token);
  if (!payload) {
    return std::unexpected(payload.error());
  }
  const auto claims = jose::parse_object(*payload);
  if (!claims) {
    return refuse("user token: the payload is no JSON object");
  }
  if (const auto fault = check_times(*claims, clock_.now()); !fault.empty()) {
    return refuse(std::string(fault));
  }
  if (issuer_ && jose::text_of(*claims, "iss") != *issuer_) {
    return refuse("user token: wrong iss");
  }
  if (audience_ && !has_audience(*claims, *audience_)) {
    return refuse("user token: wrong aud");
  }
  const auto subject = jose::text_of(*claims, "sub");
  if (!subject || !schemas::is_user_id(*subject)) {
    return refuse("user token: sub is missing or no valid user id");
  }
  return Caller{Caller::Type::user, std::string(*subject), display_name_of(*claims)};
}

std::string make_user_token(const std::string& user_id, const std::string& secret, Timestamp now, Seconds ttl,
                            const std::optional<std::string>& issuer, const std::optional<std::string>& audience) {
  const std::int64_t issued_at = std::chrono::floor<Seconds>(now).time_since_epoch().count();
  std::string json = R"({"sub":)";
  wire::append_string(json, user_id);
  json += ",\"iat\":" + std::to_string(issued_at);
  json += ",\"exp\":" + std::to_string(issued_at + ttl.count());
  append_claim(json, "iss", issuer);
  append_claim(json, "aud", audience);
  json += '}';
  return jose::sign_hs256(json, secret);
}

}  // namespace call_service::middlewares
