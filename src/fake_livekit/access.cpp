#include "fake_livekit/access.hpp"

#include <utility>

#include "fake_livekit/reading.hpp"
#include "jose/claims.hpp"
#include "jose/jws.hpp"

namespace call_service::fake_livekit {
namespace {

constexpr Seconds leeway{60};
constexpr int bad_request = 400;
constexpr int unauthorized = 401;

std::unexpected<Refusal> refuse(std::string text) {
  return std::unexpected(Refusal{unauthorized, std::move(text)});
}

// LiveKit repeats the token in its answer, so that a client that logs the text logs a secret.
std::unexpected<Refusal> refuse(std::string_view token, std::string_view error) {
  return refuse("invalid token: " + std::string(token) + ", error: " + std::string(error));
}

std::optional<std::string_view> find_time_fault(const wire::JsonDocument& claims, Timestamp now) {
  const auto expiry = jose::date_of(claims, "exp");
  if (expiry && jose::to_numeric_date(now - leeway) >= *expiry) return "token has invalid claims: token is expired";
  const auto not_before = jose::date_of(claims, "nbf");
  if (not_before && *not_before > jose::to_numeric_date(now + leeway))
    return "token has invalid claims: token is not valid yet";
  return std::nullopt;
}

std::string to_kind(std::string_view name) {
  for (const auto& [wire, kind] : {std::pair{"ingress", "INGRESS"},
                                   {"egress", "EGRESS"},
                                   {"sip", "SIP"},
                                   {"agent", "AGENT"},
                                   {"connector", "CONNECTOR"},
                                   {"bridge", "BRIDGE"}})
    if (name == wire) return kind;
  return "STANDARD";
}

void read_video(Reader video, Claims& claims) {
  claims.has_video = true;
  claims.room = video.text("room");
  claims.room_create = video.flag("roomCreate", false);
  claims.room_list = video.flag("roomList", false);
  claims.room_admin = video.flag("roomAdmin", false);
  claims.room_join = video.flag("roomJoin", false);
  claims.can_publish = video.flag("canPublish", true);
  claims.can_subscribe = video.flag("canSubscribe", true);
  claims.can_publish_data = video.flag("canPublishData", claims.can_publish);
  claims.hidden = video.flag("hidden", false);
}

Claims read_claims(Reader payload) {
  Claims claims;
  claims.identity = payload.text("sub");
  if (claims.identity.empty()) claims.identity = payload.text("jti");
  claims.name = payload.text("name");
  claims.metadata = payload.text("metadata");
  claims.kind = to_kind(payload.text("kind"));
  claims.attributes = payload.texts("attributes");
  if (const auto video = payload.object("video")) read_video(*video, claims);
  if (const auto config = payload.object("roomConfig")) claims.room_config = read_room_settings(*config);
  return claims;
}

}  // namespace

Granted<Claims> verify_token(std::string_view token, const livekit::ApiKey& key, Timestamp now) {
  const auto payload = jose::unverified_payload_hs256(token);
  const auto members = payload ? jose::parse_object(*payload) : std::nullopt;
  if (!members) return refuse("invalid authorization token");
  const std::string issuer(jose::text_of(*members, "iss").value_or(""));
  if (issuer != key.key) return refuse("invalid API key: " + issuer);
  if (!jose::verify_hs256(token, key.secret)) return refuse(token, "token signature is invalid: signature is invalid");
  if (const auto fault = find_time_fault(*members, now)) return refuse(token, *fault);
  bool fits = true;
  Claims claims = read_claims(Reader(members->root(), fits));
  if (!fits) return refuse(token, "token is malformed: a claim has a wrong type");
  return claims;
}

std::optional<Refusal> find_join_fault(const Claims& claims) {
  if (!claims.has_video || !claims.room_join) return Refusal{unauthorized, "permissions denied"};
  if (claims.room.empty()) return Refusal{bad_request, "no room name"};
  if (claims.identity.empty()) return Refusal{bad_request, "identity cannot be empty"};
  if (claims.identity.size() > max_name_length)
    return Refusal{bad_request, "participant identity length exceeds limits: max length 256"};
  if (claims.room.size() > max_name_length)
    return Refusal{bad_request, "room name length exceeds limits: max length 256"};
  return std::nullopt;
}

}  // namespace call_service::fake_livekit
