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

// Words of examples, few different characters, the alphabet or a piece again and again: typed, not drawn. A drawn
// secret looks so less than once in a million.
bool looks_typed(std::string_view secret) {
  if (std::set<char>(secret.begin(), secret.end()).size() < 8) return true;
  for (std::string_view piece :
       {"secret", "password", "example", "change", "devkey", "01234567", "abcdef0", "12345678"}) {
    if (secret.contains(piece)) return true;
  }
  for (std::size_t period = 8; period <= secret.size() / 2; ++period) {
    if (secret.substr(period) == secret.substr(0, secret.size() - period)) return true;
  }
  return false;
}

void warn_of_typed_secrets(const Config& config, std::vector<std::string>& warnings) {
  const auto warn = [&](std::string_view name, std::string_view secret) {
    if (secret.empty() || !looks_typed(secret)) return;
    warnings.push_back(std::string(name) + ": is easy to guess; make a new one with: openssl rand -hex 32");
  };
  warn("LIVEKIT_API_SECRET", config.livekit_api_secret);
  if (config.livekit_webhook_secret != config.livekit_api_secret) {
    warn("LIVEKIT_WEBHOOK_SECRET", config.livekit_webhook_secret);
  }
  if (config.auth_jwt_secret) warn("AUTH_JWT_SECRET", *config.auth_jwt_secret);
  for (const ServiceKey& key : config.auth_api_keys) warn("AUTH_API_KEYS", key.key);
}

void warn_of_public_url(const Config& config, std::vector<std::string>& warnings) {
  const std::string_view host = config_readers::host_of(config.livekit_public_url);
  if (host.empty()) return;
  if (!host.contains('.') && !host.contains(':') && host != "localhost") {
    warnings.emplace_back("LIVEKIT_PUBLIC_URL: has a host without a domain, which browsers elsewhere cannot look up");
    return;
  }
  const bool is_local = config_readers::is_loopback(host);
  if (is_local && !config_readers::is_loopback(config.host)) {
    warnings.emplace_back("LIVEKIT_PUBLIC_URL: is this machine's own address, which clients elsewhere cannot reach");
  }
  if (!is_local && config.livekit_public_url.starts_with("ws://")) {
    warnings.emplace_back("LIVEKIT_PUBLIC_URL: is not encrypted; pages served over https need wss");
  }
}

void warn_of_jwks(const Config& config, std::vector<std::string>& warnings) {
  const std::string& url = *config.auth_jwks_url;
  std::string missing = config.auth_jwt_issuer ? "" : "AUTH_JWT_ISSUER";
  if (!config.auth_jwt_audience) missing += missing.empty() ? "AUTH_JWT_AUDIENCE" : " and AUTH_JWT_AUDIENCE";
  if (!missing.empty()) {
    warnings.push_back("AUTH_JWKS_URL: without " + missing +
                       " every token of the identity provider is accepted, also those made for other applications");
  }
  if (url.starts_with("http://") && !config_readers::is_loopback(config_readers::host_of(url))) {
    warnings.emplace_back("AUTH_JWKS_URL: is not encrypted; who can change the answer can make user tokens: use https");
  }
}

}  // namespace

void check_secrets(const Config& config, const Environment& environment, std::vector<std::string>& faults) {
  if (!is_set(environment, "AUTH_API_KEYS") && !is_set(environment, "AUTH_JWT_SECRET") &&
      !is_set(environment, "AUTH_JWKS_URL")) {
    faults.emplace_back(
        "AUTH_API_KEYS, AUTH_JWT_SECRET, AUTH_JWKS_URL: set at least one of them, else nobody can authenticate");
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

void check_ports(const Config& config, std::vector<std::string>& faults) {
  if (config.port != 0 && config.metrics_port == config.port) {
    faults.emplace_back(
        "METRICS_PORT: must not be PORT; choose another, or leave it out and read /metrics by a service key");
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
  if (config.metrics_port && !config_readers::is_loopback(config.metrics_host)) {
    warnings.emplace_back("METRICS_HOST: whoever reaches this address reads the metrics; keep it in a private network");
  }
  if (config.auth_jwks_url) warn_of_jwks(config, warnings);
  const bool names_claims = config.auth_jwt_issuer || config.auth_jwt_audience;
  if (names_claims && !config.auth_jwt_secret && !config.auth_jwt_secret_previous && !config.auth_jwks_url) {
    warnings.emplace_back(
        "AUTH_JWT_ISSUER, AUTH_JWT_AUDIENCE: have no effect without AUTH_JWT_SECRET or AUTH_JWKS_URL");
  }
  return warnings;
}

}  // namespace call_service
