#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "jose/jws.hpp"
#include "jose/public_key.hpp"

namespace call_service::jose {

// The keys of an identity provider: a JWK set (RFC 7517, 5). Immutable, safe on any thread.
class KeySet {
 public:
  // algorithm: none of ours, or not the one of the key with this kid
  // unknown_key: no key has this kid, or there is no kid and no key is for this algorithm
  // ambiguous: there is no kid, and several keys are for this algorithm
  enum class Verdict { verified, algorithm, unknown_key, ambiguous, signature };

  KeySet() = default;

  // The keys that can be used (the first 100). Or why there is none: not strict JSON, no member "keys", no such key.
  static std::expected<KeySet, std::string> parse(std::string_view json);

  // Whether a key of this set has signed it. The header only chooses among these keys: its jku, jwk, x5u and x5c are
  // never looked at.
  Verdict verify(const UnverifiedJws& jws) const;

  std::size_t size() const { return keys_.size(); }

  // Why the others of the set are not used, a text each.
  const std::vector<std::string>& refusals() const { return refusals_; }

 private:
  void add(const wire::JsonView& jwk);

  std::vector<PublicKey> keys_;
  std::vector<std::string> refusals_;
};

}  // namespace call_service::jose
