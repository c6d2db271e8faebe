#include "config_checks.hpp"

#include <algorithm>
#include <set>

#include "config_readers.hpp"

namespace call_service {
namespace {

std::set<std::string_view> livekit_secrets(const Config& config) {
  std::set<std::string_view> secrets{config.livekit_api_secret, config.livekit_webhook_secret};
  for (const SigningPair& pair : config.livekit_webhook_extra_keys) secrets.insert(pair.secret);
  secrets.erase("");
  return secrets;
}

bool is_set(const Environment& environment, std::string_view name) {
  return !environment(name).value_or("").empty();
}

// So few different characters are typed, not drawn.
bool looks_typed(std::string_view secret) {
  return std::set<char>(secret.begin(), secret.end()).size() < 8;
}

void warn_of_typed_secrets(const Config& config, std::vector<std::string>& warnings) {
  const auto warn = [&](std::string_view name, std::string_view secret) {
    if (!looks_typed(secret)) return;
    warnings.push_back(std::string(name) + ": is easy to guess; make a new one with: openssl rand -hex 32");
  };
  warn("LIVEKIT_API_SECRET", config.livekit_api_secret);
  if (config.auth_jwt_secret) warn("AUTH_JWT_SECRET", *config.auth_jwt_secret);
  for (const ServiceKey& key : config.auth_api_keys) warn("AUTH_API_KEYS", key.key);
}

void warn_of_public_url(const Config& config, std::vector<std::string>& warnings) {
  const bool is_local = config_readers::is_loopback(config_readers::host_of(config.livekit_public_url));
  if (is_local && !config_readers::is_loopback(config.host)) {
    warnings.emplace_back("LIVEKIT_PUBLIC_URL: is this machine's own address, which clients elsewhere cannot reach");
  }
  if (!is_local && config.livekit_public_url.starts_with("ws://")) {
    warnings.emplace_back("LIVEKIT_PUBLIC_URL: is not encrypted; pages served over https need wss");
  }
}

}  // namespace

void check_secrets(const Config& config, const Environment& environment, std::vector<std::string>& faults) {
  if (!is_set(environment, "AUTH_API_KEYS") && !is_set(environment, "AUTH_JWT_SECRET")) {
    faults.emplace_back("AUTH_API_KEYS, AUTH_JWT_SECRET: set at least one of them, else nobody can authenticate");
  }
  const auto secrets = livekit_secrets(config);
  const auto refuse = [&](std::string_view name) {
    faults.push_back(std::string(name) + ": must not be a secret of LiveKit; make another with: openssl rand -hex 32");
  };
  if (secrets.contains(config.auth_jwt_secret.value_or(""))) refuse("AUTH_JWT_SECRET");
  if (secrets.contains(config.auth_jwt_secret_previous.value_or(""))) refuse("AUTH_JWT_SECRET_PREVIOUS");
  if (std::ranges::any_of(config.auth_api_keys, [&](const ServiceKey& key) { return secrets.contains(key.key); })) {
    refuse("AUTH_API_KEYS");
  }
}

std::vector<std::string> config_warnings(const Config& config) {
  std::vector<std::string> warnings;
  if (std::ranges::find(config.cors_allow_origins, "*") != config.cors_allow_origins.end()) {
    warnings.emplace_back("CORS_ALLOW_ORIGINS: lets every web page call; name your origins");
  }
  if (config.livekit_api_key == "devkey") {
    warnings.emplace_back("LIVEKIT_API_KEY: is the key of LiveKit's development mode; make a key of your own");
  }
  warn_of_typed_secrets(config, warnings);
  warn_of_public_url(config, warnings);
  const bool names_claims = config.auth_jwt_issuer || config.auth_jwt_audience;
  if (names_claims && !config.auth_jwt_secret && !config.auth_jwt_secret_previous) {
    warnings.emplace_back("AUTH_JWT_ISSUER, AUTH_JWT_AUDIENCE: have no effect without AUTH_JWT_SECRET");
  }
  return warnings;
}

}  // namespace call_service
