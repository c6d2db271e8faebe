#include "jose/jws.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "jose/base64.hpp"
#include "jose/digest.hpp"

namespace call_service::jose {
namespace {

const std::string secret = "0123456789abcdef0123456789abcdef";
const std::string payload = R"({"iss":"x"})";

// Right in everything but what its header and payload bytes bring along.
std::string sign_raw(const std::string& header_part, const std::string& payload_part) {
  const std::string input = header_part + "." + payload_part;
  return input + "." + encode_base64url(hmac_sha256(input, secret));
}

std::string sign_with_header(const std::string& header) {
  return sign_raw(encode_base64url(header), encode_base64url(payload));
}

TEST(Jws, initializes) {
  EXPECT_NO_THROW(initialize());
}

TEST(Jws, signs_the_bytes_as_given) {
  const std::string join =
      R"({"iss":"APItestkey00001","sub":"user-7","nbf":1767225600,"exp":4102444800,"name":"Zoë \"Z\"","video":{"room":"call-42","roomJoin":true,"canPublish":true,"canSubscribe":true,"canPublishData":true},"metadata":"{\"uid\":7}","attributes":{"role":"host"}})";
  const std::string token = sign_hs256(join, secret);
  EXPECT_EQ(token, encode_base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + encode_base64url(join) +
                       ".HO1cUoBLfnbq_lnlj7V2zvHl2NSO9ZgEOs0OSxMm3pY");
  EXPECT_EQ(verify_hs256(token, secret), join);
  EXPECT_EQ(unverified_payload_hs256(token), join);
}

TEST(Jws, signs_the_published_webhook_payload) {
  const std::string token = sign_hs256(
      R"({"iss":"APItestkey00001","exp":4102444800,"nbf":1767225600,"iat":1767225600,"sha256":"AZ5qGovHXkrwSxmdib6j7ekl1GX8svmtPSLSEeBSqw4="})",
      secret);
  EXPECT_TRUE(token.ends_with(".31nTr2TXw5PUwsrnZPjXF-TMkOJcoxpWfZBeLMfz_0g"));
}

TEST(Jws, verifies_the_example_of_rfc_7515) {
  // Appendix A.1: the header has line breaks, the key is binary.
  const std::string key =
      *decode_base64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  const std::string token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
      ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
      ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  EXPECT_EQ(verify_hs256(token, key),
            "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
}

TEST(Jws, keeps_every_byte_of_a_payload) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    EXPECT_EQ(verify_hs256(sign_hs256(bytes, secret), secret), bytes);
  }
  EXPECT_EQ(verify_hs256(sign_hs256("", secret), secret), "");
}

TEST(Jws, refuses_another_secret) {
  const std::string token = sign_hs256(payload, secret);
  EXPECT_EQ(verify_hs256(token, secret + "x").error(), JwsError::signature);
  EXPECT_EQ(verify_hs256(token, "").error(), JwsError::signature);
  EXPECT_EQ(verify_hs256(sign_hs256(payload, ""), "").error(), JwsError::signature);
}

TEST(Jws, refuses_every_changed_character) {
  const std::string token = sign_hs256(payload, secret);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify_hs256(changed, secret).has_value()) << i;
  }
}

TEST(Jws, refuses_everything_cut_or_longer) {
  const std::string token = sign_hs256(payload, secret);
  for (std::size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(verify_hs256(token.substr(0, size), secret).has_value()) << size;
  }
  for (const char* tail : {"=", "==", "\n", " ", "A", ".", ".x"}) {
    EXPECT_FALSE(verify_hs256(token + tail, secret).has_value()) << tail;
  }
  EXPECT_FALSE(verify_hs256(token + std::string(1, '\0'), secret).has_value());
}

TEST(Jws, needs_three_parts) {
  for (const char* token : {"", ".", "..", "...", "a.b", "a.b.c.d", "eyJhbGciOiJIUzI1NiJ9"}) {
    EXPECT_EQ(verify_hs256(token, secret).error(), JwsError::malformed) << token;
    EXPECT_EQ(unverified_payload_hs256(token).error(), JwsError::malformed) << token;
  }
}

TEST(Jws, refuses_other_algorithms) {
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"hs256"})", R"({"alg":"HS384"})", R"({"alg":"HS512"})",
        R"({"alg":"RS256"})", R"({"alg":"ES256"})", R"({"alg":""})", R"({"alg":null})", R"({"alg":["HS256"]})",
        R"({"alg":256})", R"({"typ":"JWT"})", R"({})", R"({"Alg":"HS256"})"}) {
    EXPECT_EQ(verify_hs256(sign_with_header(header), secret).error(), JwsError::algorithm) << header;
    EXPECT_EQ(unverified_payload_hs256(sign_with_header(header)).error(), JwsError::algorithm) << header;
  }
  EXPECT_EQ(verify_hs256("eyJhbGciOiJub25lIn0." + encode_base64url(payload) + ".", secret).error(),
            JwsError::algorithm);
}

TEST(Jws, refuses_extensions_of_the_header) {
  for (const char* header :
       {R"({"alg":"HS256","crit":["exp"],"exp":1})", R"({"alg":"HS256","crit":[]})", R"({"alg":"HS256","crit":null})",
        R"({"alg":"HS256","b64":false,"crit":["b64"]})", R"({"alg":"HS256","b64":false})"}) {
    EXPECT_EQ(verify_hs256(sign_with_header(header), secret).error(), JwsError::algorithm) << header;
  }
}

TEST(Jws, refuses_a_header_that_is_no_proper_object) {
  for (const char* header : {"", "null", "\"HS256\"", R"(["HS256"])", R"({"alg":"HS256")", R"({"alg":"HS256"} x)",
                             R"({alg:"HS256"})", R"({"alg":"none","alg":"HS256"})", R"({"alg":"HS256","alg":"HS256"})",
                             R"({"alg":"HS256","a\u006cg":"none"})", "{\"alg\":\"HS256\",\"x\":\"\xff\"}"}) {
    EXPECT_EQ(verify_hs256(sign_with_header(header), secret).error(), JwsError::malformed) << header;
  }
  const std::string nested = R"({"alg":"HS256","x":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}";
  EXPECT_EQ(verify_hs256(sign_with_header(nested), secret).error(), JwsError::malformed);
}

TEST(Jws, never_looks_at_keys_in_the_header) {
  // An attacker's token: signed with the very key that it carries or points to.
  const std::string key = encode_base64url("attacker-attacker-attacker-attack");
  for (const std::string& member :
       {R"("jwk":{"kty":"oct","k":")" + key + R"("})", std::string(R"("jku":"http://127.0.0.1:9/jwks")"),
        std::string(R"("x5u":"http://127.0.0.1:9/cert")"), std::string(R"("x5c":["AAAA"])"),
        std::string(R"("kid":"../../dev/null")")}) {
    const std::string input = encode_base64url(R"({"alg":"HS256",)" + member + "}") + "." + encode_base64url(payload);
    const std::string forged = input + "." + encode_base64url(hmac_sha256(input, "attacker-attacker-attacker-attack"));
    EXPECT_EQ(verify_hs256(forged, secret).error(), JwsError::signature) << member;
    EXPECT_EQ(verify_hs256(sign_raw(input.substr(0, input.find('.')), encode_base64url(payload)), secret), payload);
  }
}

TEST(Jws, does_not_inflate_payloads) {
  EXPECT_EQ(verify_hs256(sign_with_header(R"({"alg":"HS256","zip":"DEF"})"), secret), payload);
}

TEST(Jws, takes_only_strict_base64url) {
  const std::string header = encode_base64url(R"({"alg":"HS256"})");
  const std::string good = encode_base64url(payload);
  EXPECT_EQ(verify_hs256(sign_raw(header, good), secret), payload);
  for (const std::string& part : {good + "=", good + "\n", " " + good, good + "!", "+/" + good, good + "AA",
                                  good.substr(0, good.size() - 1) + "1"}) {
    EXPECT_EQ(verify_hs256(sign_raw(header, part), secret).error(), JwsError::malformed) << part;
  }
  EXPECT_EQ(verify_hs256(sign_raw(header + "=", good), secret).error(), JwsError::malformed);
}

TEST(Base64, follows_the_vectors_of_rfc_4648) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"},
                                                         {"\xfb\xff\xfe", "+//+"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(encode_base64(plain), encoded);
    EXPECT_EQ(decode_base64url(encode_base64url(plain)), plain);
  }
  EXPECT_EQ(encode_base64url("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(decode_base64url("Zh"), std::nullopt);  // unused bits set
}

// Contexts that have hashed their key are used again.
TEST(Digest, keeps_keys_apart) {
  const auto nth_key = [](int i) { return std::string(static_cast<std::size_t>(i * 17), 'k'); };
  std::vector<std::string> first;
  for (int i = 0; i < 8; ++i) first.push_back(hmac_sha256("text", nth_key(i)));
  EXPECT_EQ(std::set<std::string>(first.begin(), first.end()).size(), first.size());
  for (const int i : {7, 0, 3, 3, 1, 7, 2, 6, 5, 4, 0}) {
    EXPECT_NE(hmac_sha256("another", nth_key(i)), first.at(static_cast<std::size_t>(i)));
    EXPECT_EQ(hmac_sha256("text", nth_key(i)), first.at(static_cast<std::size_t>(i)));
  }
}

TEST(Digest, computes_sha256) {
  EXPECT_EQ(encode_base64(sha256("abc")), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time("a", "b"));
  EXPECT_FALSE(equal_in_constant_time("a", "aa"));
}

}  // namespace
}  // namespace call_service::jose
