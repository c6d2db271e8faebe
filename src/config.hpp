#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "log.hpp"

namespace call_service {

struct ServiceKey {
  std::string name{};
  std::string key{};
};

struct SigningPair {
  std::string key{};
  std::string secret{};
};

// Everything that can be configured, read once from the environment. One table in config.cpp names each variable, its
// default and its meaning; reading, checking and the help text come from it.
struct Config {
  std::string database_url{};     // sqlite:///relative, sqlite:////absolute or postgresql://… ("+driver" removed)
  std::string database_schema{};  // PostgreSQL only

  std::string livekit_api_key{};
  std::string livekit_api_secret{};
  std::string livekit_url{};         // as configured: ws, wss, http or https
  std::string livekit_public_url{};  // always ws or wss
  std::string livekit_webhook_secret{};
  std::optional<std::string> livekit_webhook_api_key{};
  std::vector<SigningPair> livekit_webhook_extra_keys{};
  Seconds livekit_token_ttl{};
  Seconds room_departure_timeout{};

  std::vector<ServiceKey> auth_api_keys{};
  std::optional<std::string> auth_jwt_secret{};
  std::optional<std::string> auth_jwt_secret_previous{};
  std::optional<std::string> auth_jwt_issuer{};
  std::optional<std::string> auth_jwt_audience{};

  std::string host{};
  std::uint16_t port = 0;
  int workers = 1;
  bool migrate_on_start = false;
  std::vector<std::string> cors_allow_origins{};  // or exactly one "*"
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::json;

  Seconds call_never_joined_timeout{};  // 0: never

  bool uses_sqlite() const;
};

// The value of a variable; nullopt when it is not set. An empty value counts as not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

Environment process_environment();

// What a command needs: `serve` everything; `migrate` only the database, `token` only what user tokens are made of, and
// both logging.
enum class ConfigScope { serve, database, token };

// Either the configuration or every fault found, a line each: the variable and the remedy, never a secret's value.
std::expected<Config, std::vector<std::string>> read_config(const Environment& environment,
                                                            ConfigScope scope = ConfigScope::serve);

// The table as text for `serve --help`.
std::string config_help();

// Not only faults: settings that work but are doubtful, a line each.
std::vector<std::string> config_warnings(const Config& config);

}  // namespace call_service
