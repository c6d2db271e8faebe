#include "livekit/access_token.hpp"

#include <gtest/gtest.h>

#include "jose/base64.hpp"
#include "jose/jws.hpp"

namespace call_service::livekit {
namespace {

const ApiKey key{"APItestkey00001", "0123456789abcdef0123456789abcdef"};

JoinGrant make_grant() {
  return JoinGrant{.identity = "user-7",
                   .name = "Zoë \"Z\"",
                   .room = "call_0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001",
                   .call_id = *Uuid::parse("0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001"),
                   .session_id = *Uuid::parse("0199aaaa-bbbb-7ccc-8ddd-eeeeffff0002"),
                   .issued_at = Timestamp(Milliseconds(1767225600999)),
                   .expires_at = Timestamp(Milliseconds(1767226200999)),
                   .empty_timeout = Seconds(1560),
                   .departure_timeout = Seconds(60),
                   .max_participants = std::nullopt};
}

std::string claims_of(const std::string& token) {
  return jose::verify_hs256(token, key.secret).value_or("refused");
}

TEST(AccessToken, join_token_has_exactly_the_claims_of_the_contract) {
  EXPECT_EQ(
      claims_of(make_join_token(key, make_grant())),
      R"({"iss":"APItestkey00001","sub":"user-7","nbf":1767225600,"exp":1767226200,"name":"Zoë \"Z\"",)"
      R"("attributes":{"call_id":"0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001","session_id":"0199aaaa-bbbb-7ccc-8ddd-eeeeffff0002"},)"
      R"("video":{"room":"call_0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001","roomJoin":true,"canPublish":true,"canSubscribe":true,"canPublishData":true},)"
      R"("roomConfig":{"departureTimeout":60,"emptyTimeout":1560}})");
}

TEST(AccessToken, join_token_limits_the_participants_when_asked) {
  JoinGrant grant = make_grant();
  grant.max_participants = 12;
  EXPECT_TRUE(claims_of(make_join_token(key, grant))
                  .ends_with(R"("roomConfig":{"departureTimeout":60,"emptyTimeout":1560,"maxParticipants":12}})"));
}

TEST(AccessToken, join_token_cannot_be_bent_by_names) {
  JoinGrant grant = make_grant();
  grant.identity = R"(x","video":{"roomAdmin":true},"y":")";
  grant.name = "line\nbreak\\";
  const std::string claims = claims_of(make_join_token(key, grant));
  EXPECT_NE(claims.find(R"("sub":"x\",\"video\":{\"roomAdmin\":true},\"y\":\"")"), std::string::npos) << claims;
  EXPECT_NE(claims.find(R"("name":"line\nbreak\\")"), std::string::npos) << claims;
}

TEST(AccessToken, service_token_is_for_one_room_and_one_minute) {
  EXPECT_EQ(claims_of(make_service_token(key, "call-42", Timestamp(Milliseconds(1767225600500)))),
            R"({"iss":"APItestkey00001","nbf":1767225600,"exp":1767225660,)"
            R"("video":{"roomCreate":true,"roomList":true,"roomAdmin":true,"room":"call-42"}})");
}

// The published vector of a service token's payload: what is made above, with another end.
TEST(AccessToken, service_token_has_the_form_that_livekit_verifies) {
  const std::string token = jose::sign_hs256(
      R"({"iss":"APItestkey00001","nbf":1767225600,"exp":4102444800,"video":{"roomCreate":true,"roomList":true,"roomAdmin":true,"room":"call-42"}})",
      key.secret);
  EXPECT_TRUE(token.ends_with(".2zXZIXOGhenXAeNRNUJWBZhZ0oqx2MKo9SO0p8JRW6k"));
}

}  // namespace
}  // namespace call_service::livekit
