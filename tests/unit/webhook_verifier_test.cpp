#include "livekit/webhook_verifier.hpp"

#include <gtest/gtest.h>

#include "jose/base64.hpp"
#include "jose/digest.hpp"
#include "jose/jws.hpp"
#include "recorded_webhooks.hpp"

namespace call_service::livekit {
namespace {

using Rejection = WebhookRejection;
using namespace std::chrono_literals;

const std::string secret = "0123456789abcdef0123456789abcdef";
const std::string body = R"({"event":"room_started", "id":"EV_1"})";
constexpr Timestamp now{1767225600s};

std::string hash_claim(const std::string& text) {
  return R"("sha256":")" + jose::encode_base64(jose::sha256(text)) + "\"";
}

std::string number_claim(const std::string& name, Timestamp at) {
  return "\"" + name + "\":" + std::to_string(std::chrono::floor<Seconds>(at).time_since_epoch().count());
}

const std::string in_time = number_claim("exp", now + 300s) + "," + number_claim("nbf", now);

std::string sign(const std::string& claims, const std::string& with = secret) {
  return jose::sign_hs256("{" + claims + "}", with);
}

const WebhookVerifier verifier({{"devkey", secret}});

std::expected<void, Rejection> verify(const std::string& token, Timestamp at = now) {
  return verifier.verify(token, body, at);
}

TEST(WebhookVerifier, accepts_every_recorded_request_of_a_real_server) {
  const auto webhooks = test::read_recorded_webhooks();
  ASSERT_EQ(webhooks.size(), 45U);
  for (const auto& webhook : webhooks) {
    EXPECT_TRUE(verifier.verify(webhook.authorization, webhook.body, webhook.at).has_value()) << webhook.body;
    EXPECT_TRUE(verifier.verify("Bearer " + webhook.authorization, webhook.body, webhook.at).has_value());
    EXPECT_EQ(verifier.verify(webhook.authorization, webhook.body + " ", webhook.at).error(), Rejection::hash);
    EXPECT_EQ(verifier.verify(webhook.authorization, webhook.body, webhook.at + 21min).error(), Rejection::expired);
    EXPECT_EQ(verifier.verify(webhook.authorization, webhook.body, webhook.at - 2min).error(), Rejection::expired);
  }
}

TEST(WebhookVerifier, accepts_the_published_vector) {
  const std::string published =
      R"({"event":"participant_left","room":{"sid":"RM_5oazjrPFq89r","name":"call-42"},"participant":{"sid":"PA_khysbZANzdbr","identity":"user-7","state":"DISCONNECTED","disconnectReason":"CLIENT_INITIATED"},"id":"EV_wL6Lh5MAFmDd","createdAt":"1767225661"})";
  const std::string token =
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." +
      jose::encode_base64url(
          R"({"iss":"APItestkey00001","exp":4102444800,"nbf":1767225600,"iat":1767225600,"sha256":"AZ5qGovHXkrwSxmdib6j7ekl1GX8svmtPSLSEeBSqw4="})") +
      ".31nTr2TXw5PUwsrnZPjXF-TMkOJcoxpWfZBeLMfz_0g";
  EXPECT_TRUE(WebhookVerifier({{"APItestkey00001", secret}}).verify(token, published, now).has_value());
}

TEST(WebhookVerifier, names_the_first_thing_wrong) {
  const std::string good = R"("iss":"devkey",)" + in_time + "," + hash_claim(body);
  EXPECT_TRUE(verify(sign(good)).has_value());

  EXPECT_EQ(verify(sign(R"("iss":"other",)" + in_time, "wrong")).error(), Rejection::issuer);
  EXPECT_EQ(verify(sign(in_time + "," + hash_claim(body))).error(), Rejection::issuer);
  EXPECT_EQ(verify(sign(R"("iss":7,)" + in_time)).error(), Rejection::issuer);

  EXPECT_EQ(verify(sign(good, "wrong")).error(), Rejection::signature);
  EXPECT_EQ(verify("").error(), Rejection::signature);
  EXPECT_EQ(verify("Bearer ").error(), Rejection::signature);
  EXPECT_EQ(verify("Bearer Bearer " + sign(good)).error(), Rejection::signature);
  EXPECT_EQ(verify("not a token").error(), Rejection::signature);
  EXPECT_EQ(verify(jose::sign_hs256("[]", secret)).error(), Rejection::signature);
  EXPECT_EQ(verify("eyJhbGciOiJub25lIn0." + jose::encode_base64url("{" + good + "}") + ".").error(),
            Rejection::signature);

  EXPECT_EQ(verify(sign(R"("iss":"devkey")")).error(), Rejection::expired);
  EXPECT_EQ(verify(sign(R"("iss":"devkey","exp":"4102444800",)" + hash_claim(body))).error(), Rejection::expired);
  EXPECT_EQ(verify(sign(R"("iss":"devkey","nbf":"0",)" + number_claim("exp", now) + "," + hash_claim(body))).error(),
            Rejection::expired);

  EXPECT_EQ(verify(sign(R"("iss":"devkey",)" + in_time)).error(), Rejection::hash);
  EXPECT_EQ(verify(sign(R"("iss":"devkey",)" + in_time + R"(,"sha256":"")")).error(), Rejection::hash);
  EXPECT_EQ(verify(sign(R"("iss":"devkey",)" + in_time + "," + hash_claim(body + "\n"))).error(), Rejection::hash);
}

TEST(WebhookVerifier, wants_the_hash_in_standard_base64) {
  const std::string digest = jose::sha256(body);
  EXPECT_EQ(
      verify(sign(R"("iss":"devkey",)" + in_time + R"(,"sha256":")" + jose::encode_base64url(digest) + "\"")).error(),
      Rejection::hash);
}

TEST(WebhookVerifier, gives_leeway_to_the_second) {
  const auto token = [](Timestamp exp, Timestamp nbf) {
    return sign(R"("iss":"devkey",)" + number_claim("exp", exp) + "," + number_claim("nbf", nbf) + "," +
                hash_claim(body));
  };
  EXPECT_TRUE(verify(token(now - 15min + 1s, now)).has_value());
  EXPECT_EQ(verify(token(now - 15min, now)).error(), Rejection::expired);
  EXPECT_TRUE(verify(token(now + 300s, now + 60s)).has_value());
  EXPECT_EQ(verify(token(now + 300s, now + 61s)).error(), Rejection::expired);
}

TEST(WebhookVerifier, needs_no_nbf) {
  EXPECT_TRUE(verify(sign(R"("iss":"devkey",)" + number_claim("exp", now + 1s) + "," + hash_claim(body))).has_value());
}

TEST(WebhookVerifier, tries_each_secret_of_a_key_and_no_other_keys) {
  const WebhookVerifier several({{"one", "secret-1"}, {"one", "secret-2"}, {"two", "secret-3"}});
  const auto token = [](const std::string& issuer, const std::string& with) {
    return sign("\"iss\":\"" + issuer + "\"," + in_time + "," + hash_claim(body), with);
  };
  EXPECT_TRUE(several.verify(token("one", "secret-1"), body, now).has_value());
  EXPECT_TRUE(several.verify(token("one", "secret-2"), body, now).has_value());
  EXPECT_TRUE(several.verify(token("two", "secret-3"), body, now).has_value());
  EXPECT_EQ(several.verify(token("one", "secret-3"), body, now).error(), Rejection::signature);
  EXPECT_EQ(several.verify(token("three", "secret-3"), body, now).error(), Rejection::issuer);
}

TEST(WebhookVerifier, names_its_rejections) {
  EXPECT_EQ(name_of(Rejection::issuer), "issuer");
  EXPECT_EQ(name_of(Rejection::signature), "signature");
  EXPECT_EQ(name_of(Rejection::expired), "expired");
  EXPECT_EQ(name_of(Rejection::hash), "hash");
}

}  // namespace
}  // namespace call_service::livekit
