#include "middlewares/authorization.hpp"

#include <gtest/gtest.h>

#include "jose/base64.hpp"
#include "jose/jws.hpp"

namespace call_service::middlewares {
namespace {

using namespace std::chrono_literals;

const std::string secret = "jwt-secret-jwt-secret-jwt-secret-1";
const std::string previous_secret = "jwt-secret-jwt-secret-jwt-secret-0";
const std::string chat_key = "chat-key-0123456789abcdef0123456789";
const std::string billing_key = "billing-key-0123456789abcdef012345";
constexpr Timestamp now{1767225600s};

class FixedClock final : public Clock {
 public:
  Timestamp now() const override { return middlewares::now; }
};
const FixedClock fixed_clock;

Config make_config() {
  Config config;
  config.auth_api_keys = {
      {"chat", chat_key}, {"chat", "chat-key-rotated-456789abcdef0123456789"}, {"billing", billing_key}};
  config.auth_jwt_secret = secret;
  config.auth_jwt_secret_previous = previous_secret;
  return config;
}

http::Request make_request(std::vector<http::Header> headers) {
  http::Request request;
  request.headers = std::move(headers);
  return request;
}

std::expected<Caller, std::string> authorize(std::vector<http::Header> headers, const Config& config = make_config()) {
  auto caller = Authorizer(config, fixed_clock).authorize(make_request(std::move(headers)));
  if (!caller) return std::unexpected(caller.error().cause);
  return std::move(*caller);
}

std::expected<Caller, std::string> authorize_token(const std::string& token, const Config& config = make_config()) {
  return authorize({{"Authorization", "Bearer " + token}}, config);
}

// A token with these claims, as text between the braces.
std::expected<Caller, std::string> authorize_claims(const std::string& claims, const Config& config = make_config()) {
  return authorize_token(jose::sign_hs256("{" + claims + "}", secret), config);
}

// Seconds from now, as the value of exp or nbf.
std::string at(int offset) {
  return std::to_string(now.time_since_epoch() / 1s + offset);
}

TEST(Authorization, knows_service_keys_in_both_headers) {
  for (const http::Header& header : std::vector<http::Header>{{"X-API-Key", billing_key},
                                                              {"x-api-key", billing_key},
                                                              {"Authorization", "Bearer " + billing_key},
                                                              {"authorization", "bEARER  " + billing_key}}) {
    const auto caller = authorize({header});
    ASSERT_TRUE(caller.has_value()) << caller.error();
    EXPECT_TRUE(caller->is_service());
    EXPECT_EQ(caller->id, "billing");
  }
  EXPECT_EQ(authorize({{"X-API-Key", "chat-key-rotated-456789abcdef0123456789"}})->id, "chat");
  EXPECT_EQ(authorize({{"X-API-Key", chat_key}})->id, "chat");
}

TEST(Authorization, refuses_unknown_service_keys) {
  for (const std::string& key : {std::string(), std::string("x"), chat_key + "x", chat_key.substr(1),
                                 std::string("chat"), "chat:" + chat_key, chat_key + "," + billing_key}) {
    EXPECT_FALSE(authorize({{"X-API-Key", key}}).has_value()) << key;
    EXPECT_FALSE(authorize({{"Authorization", "Bearer " + key}}).has_value()) << key;
  }
}

TEST(Authorization, takes_both_headers_only_with_the_same_service_key) {
  EXPECT_TRUE(authorize({{"X-API-Key", chat_key}, {"Authorization", "Bearer " + chat_key}}).has_value());
  EXPECT_FALSE(authorize({{"X-API-Key", chat_key}, {"Authorization", "Bearer " + billing_key}}).has_value());
  const std::string token = make_user_token("user_a", secret, now, 60s, {}, {});
  EXPECT_FALSE(authorize({{"X-API-Key", chat_key}, {"Authorization", "Bearer " + token}}).has_value());
  EXPECT_FALSE(authorize({{"X-API-Key", token}, {"Authorization", "Bearer " + token}}).has_value());
  EXPECT_FALSE(authorize({{"X-API-Key", token}}).has_value());
  EXPECT_FALSE(authorize({{"X-API-Key", chat_key}, {"Authorization", "Basic dTpw"}}).has_value());
}

TEST(Authorization, refuses_absent_repeated_and_foreign_credentials) {
  EXPECT_EQ(authorize({}).error(), "no credential");
  EXPECT_FALSE(authorize({{"X-API-Key", chat_key}, {"X-API-Key", chat_key}}).has_value());
  EXPECT_FALSE(
      authorize({{"Authorization", "Bearer " + chat_key}, {"authorization", "Bearer " + chat_key}}).has_value());
  for (const std::string& value :
       {std::string(), std::string("Bearer"), std::string("Bearer "), std::string("Bearer   "), "Basic " + chat_key,
        chat_key, "Bearer" + chat_key, "Bearer\t" + chat_key}) {
    EXPECT_FALSE(authorize({{"Authorization", value}}).has_value()) << value;
  }
}

TEST(Authorization, knows_users_by_their_token) {
  const auto caller = authorize_token(make_user_token("user_ä/1", secret, now, 60s, {}, {}));
  ASSERT_TRUE(caller.has_value()) << caller.error();
  EXPECT_FALSE(caller->is_service());
  EXPECT_EQ(caller->id, "user_ä/1");
  EXPECT_EQ(caller->name, std::nullopt);
  EXPECT_TRUE(authorize_token(make_user_token("u", previous_secret, now, 60s, {}, {})).has_value());
}

TEST(Authorization, refuses_tokens_by_other_secrets) {
  EXPECT_FALSE(authorize_token(make_user_token("u", "livekit-secret-0123456789abcdef01", now, 60s, {}, {})));
  Config config = make_config();
  config.auth_jwt_secret_previous.reset();
  EXPECT_FALSE(authorize_token(make_user_token("u", previous_secret, now, 60s, {}, {}), config));
  config.auth_jwt_secret.reset();
  EXPECT_FALSE(authorize_token(make_user_token("u", secret, now, 60s, {}, {}), config));
  EXPECT_FALSE(authorize_token(make_user_token("u", "", now, 60s, {}, {}), config));
  const std::string unsigned_token =
      "eyJhbGciOiJub25lIn0." + jose::encode_base64url(R"({"sub":"u","exp":4102444800})") + ".";
  EXPECT_FALSE(authorize_token(unsigned_token));
}

TEST(Authorization, checks_exp_with_its_leeway) {
  for (const std::string& exp : {at(60), at(1), at(0), at(-29), at(60) + ".5", std::string("1e300")}) {
    EXPECT_TRUE(authorize_claims(R"("sub":"u","exp":)" + exp)) << exp;
  }
  for (const std::string& exp :
       {at(-30), at(-31), at(-31) + ".5", std::string("0"), std::string("-1"), std::string("null"),
        "\"" + at(60) + "\"", std::string("true"), std::string("1e999"), std::string("[9999999999]")}) {
    EXPECT_FALSE(authorize_claims(R"("sub":"u","exp":)" + exp)) << exp;
  }
  EXPECT_FALSE(authorize_claims(R"("sub":"u")"));
}

TEST(Authorization, checks_nbf_with_its_leeway_when_present) {
  const std::string claims = R"("sub":"u","exp":)" + at(600) + R"(,"nbf":)";
  for (const std::string& nbf : {at(-600), at(0), at(30), at(29) + ".9"}) {
    EXPECT_TRUE(authorize_claims(claims + nbf)) << nbf;
  }
  for (const std::string& nbf : {at(31), at(30) + ".5", "\"" + at(0) + "\"", std::string("null"), std::string("{}")}) {
    EXPECT_FALSE(authorize_claims(claims + nbf)) << nbf;
  }
}

TEST(Authorization, needs_a_valid_sub) {
  for (const std::string& sub :
       {std::string(R"("")"), std::string(R"(".")"), std::string(R"("..")"), std::string(R"(" a")"),
        std::string(R"("a\u0000b")"), std::string(R"("a\n")"), std::string("7"), std::string("null"),
        std::string(R"(["u"])"), "\"" + std::string(129, 'x') + "\""}) {
    EXPECT_FALSE(authorize_claims(R"("exp":4102444800,"sub":)" + sub)) << sub;
  }
  EXPECT_FALSE(authorize_claims(R"("exp":4102444800)"));
  EXPECT_FALSE(authorize_claims(R"("exp":4102444800,"sub":"a","sub":"b")"));
  EXPECT_TRUE(authorize_claims(R"("exp":4102444800,"sub":")" + std::string(128, 'x') + "\""));
}

TEST(Authorization, checks_iss_and_aud_only_when_configured) {
  const std::string claims = R"("sub":"u","exp":4102444800)";
  EXPECT_TRUE(authorize_claims(claims + R"(,"iss":7,"aud":["other"])"));

  Config config = make_config();
  config.auth_jwt_issuer = "issuer";
  EXPECT_TRUE(authorize_claims(claims + R"(,"iss":"issuer")", config));
  for (const char* iss : {"", R"(,"iss":"Issuer")", R"(,"iss":["issuer"])", R"(,"iss":null)"}) {
    EXPECT_FALSE(authorize_claims(claims + iss, config)) << iss;
  }

  config = make_config();
  config.auth_jwt_audience = "calls";
  for (const char* aud : {R"(,"aud":"calls")", R"(,"aud":["x","calls"])"}) {
    EXPECT_TRUE(authorize_claims(claims + aud, config)) << aud;
  }
  for (const char* aud : {"", R"(,"aud":"call")", R"(,"aud":[])", R"(,"aud":["x",["calls"]])", R"(,"aud":{"calls":1})",
                          R"(,"aud":null)"}) {
    EXPECT_FALSE(authorize_claims(claims + aud, config)) << aud;
  }
}

TEST(Authorization, takes_a_name_only_if_it_can_be_displayed) {
  const std::string claims = R"("sub":"u","exp":4102444800,"name":)";
  EXPECT_EQ(authorize_claims(claims + R"("Zoë")")->name, "Zoë");
  std::string longest;
  for (int i = 0; i < 128; ++i) longest += "ë";
  EXPECT_EQ(authorize_claims(claims + "\"" + longest + "\"")->name, longest);
  for (const std::string& name : {std::string("7"), std::string("null"), std::string(R"("")"), std::string(R"("a\nb")"),
                                  "\"" + longest + "x\""}) {
    const auto caller = authorize_claims(claims + name);
    ASSERT_TRUE(caller.has_value()) << name;
    EXPECT_EQ(caller->name, std::nullopt) << name;
  }
}

TEST(Authorization, tells_causes_without_credentials) {
  const std::string token = make_user_token("someone", secret, now - 3600s, 60s, {}, {});
  const auto refused = authorize_token(token);
  EXPECT_EQ(refused.error(), "user token: expired");
  EXPECT_EQ(authorize({{"X-API-Key", "a-wrong-key"}}).error(), "unknown service key");
}

TEST(UserToken, has_the_claims_that_are_configured) {
  EXPECT_EQ(jose::verify_hs256(make_user_token("a\"b", secret, now + 999ms, 60s, {}, {}), secret),
            R"({"sub":"a\"b","iat":1767225600,"exp":1767225660})");
  const std::string token = make_user_token("u", secret, now, 60s, "issuer", "calls");
  EXPECT_EQ(jose::verify_hs256(token, secret),
            R"({"sub":"u","iat":1767225600,"exp":1767225660,"iss":"issuer","aud":"calls"})");
  Config config = make_config();
  config.auth_jwt_issuer = "issuer";
  config.auth_jwt_audience = "calls";
  EXPECT_TRUE(authorize_token(token, config));
}

}  // namespace
}  // namespace call_service::middlewares
