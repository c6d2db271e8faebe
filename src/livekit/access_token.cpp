#include "livekit/access_token.hpp"

#include <cstdint>

#include "jose/jws.hpp"
#include "wire/write.hpp"

namespace call_service::livekit {
namespace {

constexpr Seconds service_token_lifetime{60};

void append_member(std::string& json, std::string_view name, std::string_view value) {
  json += '"';
  json += name;
  json += "\":";
  wire::append_string(json, value);
}

void append_number(std::string& json, std::string_view name, std::int64_t value) {
  json += '"';
  json += name;
  json += "\":";
  json += std::to_string(value);
}

std::int64_t to_seconds(Timestamp at) {
  return std::chrono::floor<Seconds>(at).time_since_epoch().count();
}

void append_validity(std::string& json, Timestamp from, Timestamp until) {
  append_number(json, "nbf", to_seconds(from));
  json += ',';
  append_number(json, "exp", to_seconds(until));
}

void append_room_config(std::string& json, const JoinGrant& grant) {
  json += R"("roomConfig":{)";
  append_number(json, "departureTimeout", grant.departure_timeout.count());
  json += ',';
  append_number(json, "emptyTimeout", grant.empty_timeout.count());
  if (grant.max_participants) {
    json += ',';
    append_number(json, "maxParticipants", *grant.max_participants);
  }
  json += '}';
}

}  // namespace

std::string make_join_token(const ApiKey& key, const JoinGrant& grant) {
  std::string json = "{";
  json.reserve(640);
  append_member(json, "iss", key.key);
  json += ',';
  append_member(json, "sub", grant.identity);
  json += ',';
  append_validity(json, grant.issued_at, grant.expires_at);
  json += ',';
  append_member(json, "name", grant.name);
  json += R"(,"attributes":{)";
  append_member(json, "call_id", grant.call_id.to_string());
  json += ',';
  append_member(json, "session_id", grant.session_id.to_string());
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
