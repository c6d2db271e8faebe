#include "jose/key_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jose/base64.hpp"
#include "jose/digest.hpp"

namespace call_service::jose {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Verdict = KeySet::Verdict;

// RFC 7515, A.2 and A.3; RFC 8037, A.2 and A.4.
const std::string rsa_modulus =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-"
    "yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-"
    "KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"
    "h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const std::string rsa = R"("kty":"RSA","e":"AQAB","n":")" + rsa_modulus + "\"";
const std::string ec = R"("kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                       R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
const std::string okp = R"("kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")";

const std::string payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const std::string rs256_token = "eyJhbGciOiJSUzI1NiJ9." + payload +
                                ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_"
                                "lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
                                "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--"
                                "xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq"
                                "Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const std::string es256_token = "eyJhbGciOiJFUzI1NiJ9." + payload +
                                ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
                                "Kg6NU1Q";
const std::string eddsa_token =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

// A set of keys, each the members of a JWK.
std::string set_of(const std::vector<std::string>& keys) {
  std::string json;
  for (const std::string& key : keys) json += (json.empty() ? "{" : ",{") + key + "}";
  return R"({"keys":[)" + json + "]}";
}

Verdict verdict(const std::vector<std::string>& keys, const std::string& token) {
  const auto set = KeySet::parse(set_of(keys));
  const auto jws = read_jws(token);
  if (!set || !jws) {
    ADD_FAILURE() << (set ? "the token cannot be read" : set.error());
    return Verdict::algorithm;
  }
  return set->verify(*jws);
}

// Why the only key of a set is not used, or "".
std::string refusal_of(const std::string& jwk) {
  const auto set = KeySet::parse(set_of({jwk}));
  return set ? "" : set.error();
}

std::string with_header(const std::string& header, const std::string& token) {
  return encode_base64url(header) + token.substr(token.find('.'));
}

std::string with_signature(const std::string& token, const std::string& bytes) {
  return token.substr(0, token.rfind('.') + 1) + encode_base64url(bytes);
}

std::string signature_of(const std::string& token) {
  return *decode_base64url(token.substr(token.rfind('.') + 1));
}

TEST(KeySet, VerifiesTheExamplesOfTheStandards) {
  EXPECT_EQ(verdict({rsa}, rs256_token), Verdict::verified);
  EXPECT_EQ(verdict({ec}, es256_token), Verdict::verified);
  EXPECT_EQ(verdict({okp}, eddsa_token), Verdict::verified);
  EXPECT_EQ(verdict({okp, ec, rsa}, rs256_token), Verdict::verified);
}

TEST(KeySet, RefusesEveryChangedByteOfASignature) {
  for (const auto& [key, token] : {std::pair(rsa, rs256_token), {ec, es256_token}, {okp, eddsa_token}}) {
    const std::string signature = signature_of(token);
    for (std::size_t i = 0; i < signature.size(); ++i) {
      std::string changed = signature;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      EXPECT_EQ(verdict({key}, with_signature(token, changed)), Verdict::signature) << key << i;
    }
    EXPECT_EQ(verdict({key}, with_signature(token, "")), Verdict::signature);
    EXPECT_EQ(verdict({key}, with_signature(token, signature + "x")), Verdict::signature);
    EXPECT_EQ(verdict({key}, with_signature(token, signature.substr(1))), Verdict::signature);
    EXPECT_EQ(verdict({key}, with_signature(token, std::string(1, '\0') + signature)), Verdict::signature);
    const auto first_dot = token.find('.');
    EXPECT_EQ(verdict({key}, token.substr(0, first_dot) + ".e30" + token.substr(token.rfind('.'))), Verdict::signature);
  }
}

TEST(KeySet, TakesEcdsaSignaturesAsRAndSOnly) {
  const std::string raw = signature_of(es256_token);
  const auto integer = [](const std::string& bytes) {
    const std::string padded = (bytes[0] & 0x80) != 0 ? std::string(1, '\0') + bytes : bytes;
    return std::string("\x02") + static_cast<char>(padded.size()) + padded;
  };
  const std::string pair = integer(raw.substr(0, 32)) + integer(raw.substr(32));
  const std::string der = std::string("\x30") + static_cast<char>(pair.size()) + pair;
  EXPECT_EQ(verdict({ec}, with_signature(es256_token, der)), Verdict::signature);
  EXPECT_EQ(verdict({ec}, with_signature(es256_token, std::string(64, '\0'))), Verdict::signature);
  EXPECT_EQ(verdict({ec}, with_signature(es256_token, std::string(64, '\xff'))), Verdict::signature);
}

TEST(KeySet, LooksUpTheKid) {
  const std::string named = with_header(R"({"alg":"EdDSA","kid":"b"})", eddsa_token);
  EXPECT_EQ(verdict({okp + R"(,"kid":"a")"}, named), Verdict::unknown_key);
  EXPECT_EQ(verdict({okp}, named), Verdict::unknown_key);
  EXPECT_EQ(verdict({rsa + R"(,"kid":"b")", okp + R"(,"kid":"a")"}, named), Verdict::algorithm);
  // The right key, but the header was not what was signed.
  EXPECT_EQ(verdict({okp + R"(,"kid":"b")"}, named), Verdict::signature);
}

TEST(KeySet, WithoutAKidTakesTheOnlyKeyThatFits) {
  const std::string other = R"("kty":"OKP","crv":"Ed25519","x":"Kz1VR0OkS8Qq5y1vKIYGhqVTDN3nYM1cs2SmmrDqkXQ")";
  EXPECT_EQ(verdict({okp + R"(,"kid":"a")", rsa, ec}, eddsa_token), Verdict::verified);
  EXPECT_EQ(verdict({rsa, ec}, eddsa_token), Verdict::unknown_key);
  EXPECT_EQ(verdict({okp, okp + R"(,"kid":"a")"}, eddsa_token), Verdict::ambiguous);
}

TEST(KeySet, NeverTakesAnotherAlgorithm) {
  for (const std::string alg :
       {"none", "None", "HS256", "HS512", "RS384", "RS512", "PS256", "ES384", "rs256", "", "Ed448"}) {
    for (const std::string& key : {rsa, ec, okp}) {
      EXPECT_EQ(verdict({key}, with_header(R"({"alg":")" + alg + "\"}", rs256_token)), Verdict::algorithm) << alg;
    }
  }
  const std::string with_kid = R"(,"kid":"k")";
  EXPECT_EQ(verdict({rsa + with_kid}, with_header(R"({"alg":"ES256","kid":"k"})", rs256_token)), Verdict::algorithm);
  EXPECT_EQ(verdict({ec + with_kid}, with_header(R"({"alg":"EdDSA","kid":"k"})", es256_token)), Verdict::algorithm);
  EXPECT_EQ(verdict({okp + with_kid}, with_header(R"({"alg":"RS256","kid":"k"})", eddsa_token)), Verdict::algorithm);
}

TEST(KeySet, APublicKeyIsNoHmacSecret) {
  const std::string input = encode_base64url(R"({"alg":"HS256","kid":"k"})") + "." + payload;
  for (const std::string& secret : {*decode_base64url(rsa_modulus), rsa_modulus, "{" + rsa + "}", std::string()}) {
    const std::string token = input + "." + encode_base64url(hmac_sha256(input, secret));
    EXPECT_EQ(verdict({rsa + R"(,"kid":"k")"}, token), Verdict::algorithm);
  }
}

TEST(KeySet, UsesNoKeyThatIsForSomethingElse) {
  EXPECT_EQ(refusal_of(rsa + R"(,"use":"sig","alg":"RS256","key_ops":["verify"],"x5c":["MIIC"],"ext":true)"), "");
  for (const std::string& key : {rsa, ec, okp}) {
    for (const char* members :
         {R"("use":"enc")", R"("use":7)", R"("alg":"RSA-OAEP")", R"("alg":"HS256")", R"("alg":null)",
          R"("key_ops":["encrypt"])", R"("key_ops":[])", R"("key_ops":"verify")", R"("kid":7)", R"("kid":"")"}) {
      EXPECT_NE(refusal_of(key + "," + members), "") << members;
    }
  }
  EXPECT_THAT(refusal_of(rsa + R"(,"alg":"PS256")"), HasSubstr("alg"));
  EXPECT_THAT(refusal_of(ec + R"(,"alg":"RS256")"), HasSubstr("alg"));
}

TEST(KeySet, UsesNoSecretsAndNoWeakOrBrokenKeys) {
  EXPECT_THAT(refusal_of(R"("kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","alg":"HS256")"),
              HasSubstr("kty"));
  EXPECT_THAT(refusal_of(R"("kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","alg":"RS256")"),
              HasSubstr("kty"));
  const auto rsa_with = [](const std::string& modulus, const std::string& exponent) {
    return R"("kty":"RSA","n":")" + encode_base64url(modulus) + R"(","e":")" + exponent + "\"";
  };
  const std::string modulus = *decode_base64url(rsa_modulus);
  EXPECT_THAT(refusal_of(rsa_with(modulus.substr(0, 128), "AQAB")), HasSubstr("2048"));
  EXPECT_THAT(refusal_of(rsa_with(std::string(1, '\x7f') + modulus.substr(1), "AQAB")), HasSubstr("2048"));
  EXPECT_THAT(refusal_of(rsa_with(std::string(128, '\0') + modulus.substr(128), "AQAB")), HasSubstr("2048"));
  EXPECT_THAT(refusal_of(rsa_with(std::string(2000, '\x7f'), "AQAB")), HasSubstr("8192"));
  for (const char* exponent : {"AQ", "Ag", "AA", "", "AQAA", "AQAB=", "////"}) {
    EXPECT_THAT(refusal_of(rsa_with(modulus, exponent)), HasSubstr("exponent")) << exponent;
  }
  const std::string one = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE";
  const std::string off_the_curve = R"("kty":"EC","crv":"P-256","x":")" + one + R"(","y":")" + one + "\"";
  EXPECT_THAT(refusal_of(off_the_curve), HasSubstr("valid key"));
  EXPECT_THAT(refusal_of(R"("kty":"EC","crv":"P-256","x":"AAE","y":"AAE")"), HasSubstr("32 bytes"));
  EXPECT_THAT(refusal_of(R"("kty":"EC","crv":"secp256k1","x":")" + one + R"(","y":")" + one + "\""),
              HasSubstr("P-256"));
  EXPECT_THAT(refusal_of(R"("kty":"OKP","crv":"X25519","x":")" + one + "\""), HasSubstr("Ed25519"));
  EXPECT_THAT(refusal_of(R"("kty":"OKP","crv":"Ed25519","x":"AAE")"), HasSubstr("32 bytes"));
  EXPECT_THAT(refusal_of(R"("kty":"OKP","crv":"Ed25519")"), HasSubstr("32 bytes"));
  EXPECT_THAT(refusal_of(R"("kty":7)"), HasSubstr("kty"));
}

TEST(KeySet, OneBadKeyDoesNotSpoilTheOthers) {
  const auto set = KeySet::parse(set_of({R"("kty":"oct","k":"AAAA","kid":"s")", okp, R"("kty":"EC","crv":"P-521")"}));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->size(), 1U);
  EXPECT_THAT(set->refusals(), ElementsAre(HasSubstr("key s: "), HasSubstr("key number 3: ")));
}

TEST(KeySet, NeedsAUsableKey) {
  for (const std::string text : {"", "null", "[]", "{}", "<html>", R"({"keys":{}})", R"({"keys":null})",
                                 R"({"keys":[]})", R"({"keys":[1,"x",null,[],{}]})", R"({"keys":[],"keys":[]})"}) {
    EXPECT_FALSE(KeySet::parse(text)) << text;
  }
  EXPECT_FALSE(KeySet::parse(R"({"keys":[{)" + okp + R"(,"kty":"OKP"}]})")) << "a member is named twice";
  EXPECT_FALSE(KeySet::parse(R"([{)" + okp + R"(}])"));
}

TEST(Jws, IsReadStrictly) {
  const auto jws =
      read_jws(with_header(R"({"alg":"EdDSA","kid":"k","jku":"https://evil.example","typ":"at+jwt"})", eddsa_token));
  ASSERT_TRUE(jws);
  EXPECT_EQ(jws->alg, "EdDSA");
  EXPECT_EQ(jws->kid, "k");
  EXPECT_EQ(jws->payload, "Example of Ed25519 signing");
  EXPECT_EQ(jws->signature.size(), 64U);
  for (const char* header : {R"({"alg":"EdDSA","alg":"EdDSA"})", R"({"alg":"EdDSA","kid":7})",
                             R"({"alg":"EdDSA","kid":null})", R"([])", R"(x)",
                             R"({"alg":"EdDSA"} )"
                             "x"}) {
    EXPECT_EQ(read_jws(with_header(header, eddsa_token)).error(), JwsError::malformed) << header;
  }
  for (const char* header : {R"({})", R"({"alg":7})", R"({"alg":"EdDSA","crit":["exp"],"exp":1})",
                             R"({"alg":"EdDSA","crit":[]})", R"({"alg":"EdDSA","b64":false})"}) {
    EXPECT_EQ(read_jws(with_header(header, eddsa_token)).error(), JwsError::algorithm) << header;
  }
  for (const std::string& token :
       {eddsa_token + "=", eddsa_token + "\n", eddsa_token + ".", "." + eddsa_token, std::string()}) {
    EXPECT_FALSE(read_jws(token)) << token;
  }
}

}  // namespace
}  // namespace call_service::jose
