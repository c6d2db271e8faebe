#include "livekit/access_token.hpp"

#include <cstdint>

#include "base/text.hpp"
#include "jose/jws.hpp"
#include "wire/write.hpp"

namespace call_service::livekit {
namespace {

constexpr Seconds service_token_lifetime{60};

void append_member(std::string& json, std::string_view name, std::string_view value) {
  wire::append_key(json, name);
  wire::append_string(json, value);
}

void append_member(std::string& json, std::string_view name, const Uuid& id) {
  wire::append_key(json, name);
  json += '"';
  id.append_to(json);
  json += '"';
}

void append_member(std::string& json, std::string_view name, std::int64_t value) {
  wire::append_key(json, name);
  append_number(json, value);
}

std::int64_t to_seconds(Timestamp at) {
  return std::chrono::floor<Seconds>(at).time_since_epoch().count();
}

void append_validity(std::string& json, Timestamp from, Timestamp until) {
  append_member(json, "nbf", to_seconds(from));
  json += ',';
  append_member(json, "exp", to_seconds(until));
}

void append_room_config(std::string& json, const JoinGrant& grant) {
  json += R"("roomConfig":{)";
  append_member(json, "departureTimeout", grant.departure_timeout.count());
  json += ',';
  append_member(json, "emptyTimeout", grant.empty_timeout.count());
  if (grant.max_participants) {
    json += ',';
    append_member(json, "maxParticipants", std::int64_t{*grant.max_participants});
  }
  json += '}';
}

}  // namespace

std::string make_join_token(const ApiKey& key, const JoinGrant& grant) {
  std::string json = "{";
  json.reserve(1024);
  append_member(json, "iss", key.key);
  json += ',';
  append_member(json, "sub", grant.identity);
  json += ',';
  append_validity(json, grant.issued_at, grant.expires_at);
  json += ',';
  append_member(json, "name", grant.name);
  json += R"(,"attributes":{)";
  append_member(json, "call_id", grant.call_id);
  json += ',';
  append_member(json, "session_id", grant.session_id);
  json += R"(},"video":{)";
  append_member(json, "room", grant.room);
  json += R"(,"roomJoin":true,"canPublish":true,"canSubscribe":true,"canPublishData":true},)";
  append_room_config(json, grant);
  json += '}';
  return jose::sign_hs256(json, key.secret);
}

std::string make_service_token(const ApiKey& key, const std::string& room, Timestamp now) {
  std::string json = "{";
  append_member(json, "iss", key.key);
  json += ',';
  append_validity(json, now, now + service_token_lifetime);
  json += R"(,"video":{"roomCreate":true,"roomList":true,"roomAdmin":true,)";
  append_member(json, "room", room);
  json += "}}";
  return jose::sign_hs256(json, key.secret);
}

}  // namespace call_service::livekit
