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

// Who creates LiveKit's rooms: the first participant's token, or this service.
enum class RoomCreation { on_join, on_start };

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
  RoomCreation livekit_room_creation = RoomCreation::on_join;
  Seconds room_departure_timeout{};

  std::vector<ServiceKey> auth_api_keys{};
  std::optional<std::string> auth_jwt_secret{};
  std::optional<std::string> auth_jwt_secret_previous{};
  std::optional<std::string> auth_jwks_url{};  // http://, https:// or file:///path
  std::optional<std::string> auth_jwt_issuer{};
  std::optional<std::string> auth_jwt_audience{};

  std::string host{};
  std::uint16_t port = 0;
  int workers = 1;
  bool migrate_on_start = false;
  std::vector<std::string> cors_allow_origins{};  // or exactly one "*"
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::json;
  std::string metrics_host{};
  std::optional<std::uint16_t> metrics_port{};

  Seconds reconcile_interval{};         // 0: no comparison
  Seconds call_never_joined_timeout{};  // 0: never
  Seconds call_max_duration{};          // 0: any
  int call_retention_days = 0;          // 0: for ever

  bool uses_sqlite() const;
};

// The value of a variable; nullopt when it is not set. An empty value counts as not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

Environment process_environment();

// What a command needs: `serve` everything; `migrate` only the database, `token` only what user tokens are made of, and
// both logging.
enum class ConfigScope { serve, database, token };

// What could be read, and every fault as in read_config(). A faulty variable is as it would be if it were not there at
// all, without its default: a text is empty, a number 0.
struct ConfigReading {
  Config config{};
  std::vector<std::string> faults{};
};
ConfigReading read_config_as_it_is(const Environment& environment, ConfigScope scope = ConfigScope::serve);

// Either the configuration or every fault found, a line each: the variable and the remedy, never a secret's value.
std::expected<Config, std::vector<std::string>> read_config(const Environment& environment,
                                                            ConfigScope scope = ConfigScope::serve);

// The table as text for `serve --help`, as a page of the documentation, and as a file of environment variables in which
// every optional one is commented out.
std::string config_help();
std::string config_markdown();
std::string config_environment_file();

// Not only faults: settings that work but are doubtful, a line each.
std::vector<std::string> config_warnings(const Config& config);

}  // namespace call_service
