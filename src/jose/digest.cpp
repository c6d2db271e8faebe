#include "jose/digest.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace call_service::jose {
namespace {

constexpr std::size_t digest_size = 32;

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// OpenSSL looks an algorithm up by its name, which costs more than to hash a short text: hence once.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return algorithm;
}

// HMAC hashes its key first. A context that has done so is good for any number of texts.
class KeyedHmac {
 public:
  explicit KeyedHmac(std::string_view key) : key_(key), context_(EVP_MAC_CTX_new(hmac_algorithm())) {
    std::string digest = "SHA256";
    const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                                OSSL_PARAM_construct_end()};
    // An empty key, too, is one that is given.
    const auto* bytes = key.empty() ? bytes_of(std::string_view("")) : bytes_of(key);
    is_ready_ = EVP_MAC_init(context_.get(), bytes, key.size(), parameters.data()) == 1;
  }

  bool is_for(std::string_view key) const { return is_ready_ && key_ == key; }

  bool compute(std::string_view bytes, std::string& digest) {
    std::size_t size = 0;
    const bool done = is_ready_ && EVP_MAC_update(context_.get(), bytes_of(bytes), bytes.size()) == 1 &&
                      EVP_MAC_final(context_.get(), bytes_of(digest), &size, digest.size()) == 1;
    is_ready_ = done && EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1;
    return done && size == digest_size;
  }

 private:
  std::string key_;
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
  bool is_ready_ = false;
};

// Those of this thread. The service has few keys; more are made anew in turn.
KeyedHmac& hmac_with(std::string_view key) {
  constexpr std::size_t most = 4;
  thread_local std::vector<KeyedHmac> known;
  const auto found = std::ranges::find_if(known, [&](const KeyedHmac& each) { return each.is_for(key); });
  if (found != known.end()) return *found;
  if (known.size() == most) known.erase(known.begin());
  return known.emplace_back(key);
}

}  // namespace

std::string sha256(std::string_view bytes) {
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::string digest(digest_size, '\0');
  if (EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), bytes_of(digest), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot compute SHA-256");
  }
  return digest;
}

std::string hmac_sha256(std::string_view bytes, std::string_view key) {
  std::string digest(digest_size, '\0');
  if (!hmac_with(key).compute(bytes, digest)) {
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA-256");
  }
  return digest;
}

bool equal_in_constant_time(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace call_service::jose
