#include "jose/public_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "jose/base64.hpp"

// By OpenSSL and not by a JOSE library: docs/decisions/0004.
namespace call_service::jose {
namespace {

constexpr int min_rsa_bits = 2048;
constexpr int max_rsa_bits = 8192;
constexpr std::size_t max_rsa_exponent_bytes = 8;
constexpr std::size_t coordinate_size = 32;  // of P-256 and of Ed25519

using Refusal = std::unexpected<std::string>;
using SharedKey = std::shared_ptr<EVP_PKEY>;

template <auto Free>
struct Freeing {
  void operator()(auto* object) const { Free(object); }
};
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freeing<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freeing<EVP_MD_CTX_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Freeing<BN_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freeing<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freeing<OSSL_PARAM_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freeing<ECDSA_SIG_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

BigNumber number_of(std::string_view big_endian) {
  return BigNumber(BN_bin2bn(bytes_of(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

SharedKey share(EVP_PKEY* key) {
  return key == nullptr ? nullptr : SharedKey(key, Freeing<EVP_PKEY_free>());
}

std::optional<std::string_view> text_member(const wire::JsonView& jwk, std::string_view name) {
  const auto value = jwk.find(name);
  if (!value || value->kind() != wire::JsonKind::string) return std::nullopt;
  return value->text();
}

// The bytes of a member in base64url; empty if absent, of another type or broken.
std::string bytes_member(const wire::JsonView& jwk, std::string_view name) {
  const auto text = text_member(jwk, name);
  return text ? decode_base64url(*text).value_or("") : std::string();
}

SharedKey make_key(const char* type, OSSL_PARAM* parameters) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) return nullptr;
  return share(key);
}

// That the numbers make a key at all: a point on its curve, a modulus and an exponent that can be ones.
bool is_sound(const SharedKey& key) {
  if (!key) return false;
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  return context && EVP_PKEY_public_check(context.get()) == 1;
}

std::expected<SharedKey, std::string> rsa_key(const wire::JsonView& jwk) {
  const std::string modulus = bytes_member(jwk, "n");
  const std::string exponent = bytes_member(jwk, "e");
  const BigNumber n = number_of(modulus);
  const BigNumber e = number_of(exponent);
  if (!n || BN_num_bits(n.get()) < min_rsa_bits) return Refusal("its RSA modulus has less than 2048 bits");
  if (BN_num_bits(n.get()) > max_rsa_bits) return Refusal("its RSA modulus has more than 8192 bits");
  if (!e || exponent.size() > max_rsa_exponent_bytes || BN_is_one(e.get()) || BN_is_odd(e.get()) == 0) {
    return Refusal("its RSA exponent is no odd number from 3 to 64 bits");
  }
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return Refusal("OpenSSL cannot take it");
  }
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  return make_key("RSA", parameters.get());
}

std::expected<SharedKey, std::string> p256_key(const wire::JsonView& jwk) {
  const std::string x = bytes_member(jwk, "x");
  const std::string y = bytes_member(jwk, "y");
  if (text_member(jwk, "crv") != "P-256") return Refusal("its curve is not P-256");
  if (x.size() != coordinate_size || y.size() != coordinate_size) return Refusal("its x or y has not 32 bytes");
  std::string point = "\x04" + x + y;
  std::string group = "prime256v1";
  std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  return make_key("EC", parameters.data());
}

std::expected<SharedKey, std::string> ed25519_key(const wire::JsonView& jwk) {
  const std::string x = bytes_member(jwk, "x");
  if (text_member(jwk, "crv") != "Ed25519") return Refusal("its curve is not Ed25519");
  if (x.size() != coordinate_size) return Refusal("its x has not 32 bytes");
  return share(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()));
}

struct KeyType {
  std::string_view kty;
  Algorithm algorithm;
  std::string_view alg;
  std::expected<SharedKey, std::string> (*read)(const wire::JsonView& jwk);
};
constexpr KeyType key_types[] = {{"RSA", Algorithm::rs256, "RS256", rsa_key},
                                 {"EC", Algorithm::es256, "ES256", p256_key},
                                 {"OKP", Algorithm::eddsa, "EdDSA", ed25519_key}};

const KeyType* type_of(const wire::JsonView& jwk) {
  const auto kty = text_member(jwk, "kty");
  for (const KeyType& type : key_types) {
    if (kty == type.kty) return &type;
  }
  return nullptr;
}

bool is_for_verifying(const wire::JsonView& operations) {
  bool found = false;
  if (operations.kind() != wire::JsonKind::array) return false;
  operations.for_each_element([&](const wire::JsonView& operation) {
    found = found || (operation.kind() == wire::JsonKind::string && operation.text() == "verify");
  });
  return found;
}

// What the key says of itself that makes it unfit, or "".
std::string_view unfit(const wire::JsonView& jwk, const KeyType& type) {
  const auto kid = jwk.find("kid");
  if (kid && (kid->kind() != wire::JsonKind::string || kid->text().empty())) return "its kid is no text";
  if (jwk.find("use") && text_member(jwk, "use") != "sig") return "its use is not sig";
  if (jwk.find("alg") && text_member(jwk, "alg") != type.alg) return "its alg is not the one of its kty";
  const auto operations = jwk.find("key_ops");
  if (operations && !is_for_verifying(*operations)) return "its key_ops lack verify";
  return "";
}

// ASN.1, as OpenSSL wants it; empty if it has not 64 bytes.
std::string to_der(std::string_view signature) {
  if (signature.size() != 2 * coordinate_size) return {};
  BigNumber r = number_of(signature.substr(0, coordinate_size));
  BigNumber s = number_of(signature.substr(coordinate_size));
  const EcdsaSignature pair(ECDSA_SIG_new());
  if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) {
    throw std::runtime_error("OpenSSL cannot take an ECDSA signature");
  }
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  const std::unique_ptr<unsigned char, decltype([](unsigned char* bytes) { OPENSSL_free(bytes); })> owner(der);
  return size > 0 ? std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

std::optional<Algorithm> algorithm_named(std::string_view name) {
  for (const KeyType& type : key_types) {
    if (name == type.alg) return type.algorithm;
  }
  return std::nullopt;
}

std::expected<PublicKey, std::string> PublicKey::from_jwk(const wire::JsonView& jwk) {
  if (jwk.kind() != wire::JsonKind::object) return Refusal("it is no JSON object");
  const KeyType* type = type_of(jwk);
  if (type == nullptr) return Refusal("its kty is none of RSA, EC and OKP");
  if (const auto why = unfit(jwk, *type); !why.empty()) return Refusal(std::string(why));
  auto key = type->read(jwk);
  if (!key) return Refusal(std::move(key.error()));
  const bool sound = is_sound(*key);
  ERR_clear_error();
  if (!sound) return Refusal("its numbers make no valid key");
  PublicKey made(type->algorithm, std::move(*key));
  if (const auto kid = text_member(jwk, "kid")) made.kid_ = std::string(*kid);
  return made;
}

bool PublicKey::verify(std::string_view signed_text, std::string_view signature) const {
  const std::string der = algorithm_ == Algorithm::es256 ? to_der(signature) : std::string();
  const std::string_view raw = algorithm_ == Algorithm::es256 ? std::string_view(der) : signature;
  if (raw.empty()) return false;
  const DigestContext context(EVP_MD_CTX_new());
  const EVP_MD* digest = algorithm_ == Algorithm::eddsa ? nullptr : EVP_sha256();
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) != 1) {
    throw std::runtime_error("OpenSSL cannot verify signatures");
  }
  const int verified =
      EVP_DigestVerify(context.get(), bytes_of(raw), raw.size(), bytes_of(signed_text), signed_text.size());
  if (verified != 1) ERR_clear_error();
  return verified == 1;
}

}  // namespace call_service::jose
