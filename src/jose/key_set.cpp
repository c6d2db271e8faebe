#include "jose/key_set.hpp"

#include <utility>

#include "jose/claims.hpp"

namespace call_service::jose {
namespace {

constexpr std::size_t max_keys = 100;
constexpr std::size_t max_kid_shown = 128;  // bytes

// What a key is called in the log: its kid, or its place.
std::string label_of(const wire::JsonView& jwk, std::size_t place) {
  const bool is_object = jwk.kind() == wire::JsonKind::object;
  const auto kid = is_object ? jwk.find("kid") : std::nullopt;
  if (kid && kid->kind() == wire::JsonKind::string && kid->text().size() <= max_kid_shown)
    return "key " + std::string(kid->text());
  return "key number " + std::to_string(place);
}

}  // namespace

std::expected<KeySet, std::string> KeySet::parse(std::string_view json) {
  const auto document = parse_object(json);
  if (!document) return std::unexpected("it is no JSON object, or names a member twice");
  const auto keys = document->root().find("keys");
  if (!keys || keys->kind() != wire::JsonKind::array) return std::unexpected("it has no list \"keys\"");
  KeySet set;
  keys->for_each_element([&](const wire::JsonView& jwk) { set.add(jwk); });
  if (!set.keys_.empty()) return set;
  return std::unexpected(set.refusals_.empty() ? "it has no keys" : "it has no usable key: " + set.refusals_.front());
}

void KeySet::add(const wire::JsonView& jwk) {
  if (keys_.size() + refusals_.size() >= max_keys) return;
  auto key = PublicKey::from_jwk(jwk);
  if (key) {
    keys_.push_back(std::move(*key));
  } else {
    refusals_.push_back(label_of(jwk, keys_.size() + refusals_.size() + 1) + ": " + key.error());
  }
}

KeySet::Verdict KeySet::verify(const UnverifiedJws& jws) const {
  const auto algorithm = algorithm_named(jws.alg);
  if (!algorithm) return Verdict::algorithm;
  bool is_known = false;
  std::vector<const PublicKey*> fitting;
  for (const PublicKey& key : keys_) {
    if (jws.kid && key.kid() != jws.kid) continue;
    is_known = is_known || jws.kid.has_value();
    if (key.algorithm() == *algorithm) fitting.push_back(&key);
  }
  if (fitting.empty()) return is_known ? Verdict::algorithm : Verdict::unknown_key;
  if (!jws.kid && fitting.size() > 1) return Verdict::ambiguous;
  for (const PublicKey* key : fitting) {
    if (key->verify(jws.signing_input, jws.signature)) return Verdict::verified;
  }
  return Verdict::signature;
}

}  // namespace call_service::jose
