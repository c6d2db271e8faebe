#include "config.hpp"

#include <algorithm>
#include <cstdlib>
#include <ranges>
#include <thread>
#include <utility>

#include "base/text.hpp"
#include "config_checks.hpp"
#include "config_readers.hpp"

namespace call_service {
namespace {

namespace readers = config_readers;

// The remedy if the value is no good.
using Remedy = std::optional<std::string>;

struct Variable {
  std::string_view name;
  std::string_view default_text;  // as shown; read as if it were set, unless fill is given
  std::string_view meaning;
  Remedy (*read)(std::string_view text, Config& config);
  bool for_database = false;  // read in ConfigScope::database too
  bool for_token = false;     // read in ConfigScope::token too
  bool required = false;
  void (*fill)(Config& config) = nullptr;  // for a default that depends on what was read before
};

template <typename Target, typename Value>
Remedy store(Target& target, readers::Read<Value> value) {
  if (!value) return std::move(value.error());
  target = std::move(*value);
  return std::nullopt;
}

template <auto member, auto reader>
Remedy read_with(std::string_view text, Config& config) {
  return store(config.*member, reader(text));
}

template <auto member>
Remedy read_text(std::string_view text, Config& config) {
  config.*member = std::string(text);
  return std::nullopt;
}

template <auto member, std::int64_t least, std::int64_t most>
Remedy read_number(std::string_view text, Config& config) {
  using Target = std::remove_reference_t<decltype(config.*member)>;
  const auto value = readers::integer(text, least, most);
  if (!value) return value.error();
  config.*member = static_cast<Target>(*value);
  return std::nullopt;
}

Remedy read_public_url(std::string_view text, Config& config) {
  const auto url = readers::livekit_url(text);
  if (!url) return url.error();
  config.livekit_public_url = readers::to_websocket(*url);
  return std::nullopt;
}

Remedy read_room_creation(std::string_view text, Config& config) {
  if (text != "on_join" && text != "on_start") return "must be on_join or on_start";
  config.livekit_room_creation = text == "on_start" ? RoomCreation::on_start : RoomCreation::on_join;
  return std::nullopt;
}

constexpr std::int64_t seconds_a_day = 86'400;
constexpr std::int64_t seconds_a_year = 31'536'000;

constexpr Variable variables[] = {
    {.name = "DATABASE_URL",
     .default_text = "sqlite:///call-service.db",
     .meaning =
         "postgresql://user:password@host/name (several hosts allowed; ?prepared=false for a pooler that gives each "
         "transaction another session), sqlite:///relative or sqlite:////absolute",
     .read = read_with<&Config::database_url, readers::database_url>,
     .for_database = true},
    {.name = "DATABASE_SCHEMA",
     .default_text = "public",
     .meaning = "PostgreSQL: where all tables live",
     .read = read_with<&Config::database_schema, readers::database_schema>,
     .for_database = true},
    {.name = "LIVEKIT_API_KEY",
     .default_text = "",
     .meaning = "the name of a key of the LiveKit server",
     .read = read_with<&Config::livekit_api_key, readers::key_name>,
     .required = true},
    {.name = "LIVEKIT_API_SECRET",
     .default_text = "",
     .meaning = "that key's secret, at least 32 characters",
     .read = read_with<&Config::livekit_api_secret, readers::secret>,
     .required = true},
    {.name = "LIVEKIT_URL",
     .default_text = "ws://127.0.0.1:7880",
     .meaning = "where the service reaches LiveKit; ws, wss, http or https",
     .read = read_with<&Config::livekit_url, readers::livekit_url>},
    {.name = "LIVEKIT_PUBLIC_URL",
     .default_text = "LIVEKIT_URL",
     .meaning = "where clients reach LiveKit; given to them as ws or wss",
     .read = read_public_url,
     .fill = [](Config& config) { config.livekit_public_url = readers::to_websocket(config.livekit_url); }},
    {.name = "LIVEKIT_WEBHOOK_SECRET",
     .default_text = "LIVEKIT_API_SECRET",
     .meaning = "what LiveKit signs its webhooks with, at least 32 characters",
     .read = read_with<&Config::livekit_webhook_secret, readers::secret>,
     .fill = [](Config& config) { config.livekit_webhook_secret = config.livekit_api_secret; }},
    {.name = "LIVEKIT_WEBHOOK_API_KEY",
     .default_text = "",
     .meaning = "the name of the key that LiveKit signs webhooks with, if it is not LIVEKIT_API_KEY",
     .read = read_with<&Config::livekit_webhook_api_key, readers::key_name>},
    {.name = "LIVEKIT_WEBHOOK_EXTRA_KEYS",
     .default_text = "",
     .meaning = "key:secret,key:secret: further signers of webhooks, for rotation",
     .read = read_with<&Config::livekit_webhook_extra_keys, readers::signing_pairs>},
    {.name = "LIVEKIT_TOKEN_TTL_SECONDS",
     .default_text = "600",
     .meaning = "lifetime of the tokens handed out, 10 to 86400",
     .read = read_number<&Config::livekit_token_ttl, 10, seconds_a_day>},
    {.name = "LIVEKIT_ROOM_CREATION",
     .default_text = "on_join",
     .meaning = "on_join: whoever enters first makes the room; on_start: the service makes it and makes it again when "
                "LiveKit has lost it, for servers with auto_create: false",
     .read = read_room_creation},
    {.name = "ROOM_DEPARTURE_TIMEOUT_SECONDS",
     .default_text = "60",
     .meaning = "how long a call outlives its last participant, 1 to 86400",
     .read = read_number<&Config::room_departure_timeout, 1, seconds_a_day>},
    {.name = "AUTH_API_KEYS",
     .default_text = "",
     .meaning = "name:key,name:key: service keys, each at least 32 characters; a name may occur several times",
     .read = read_with<&Config::auth_api_keys, readers::service_keys>},
    {.name = "AUTH_JWT_SECRET",
     .default_text = "",
     .meaning = "verifies user tokens (HS256), at least 32 characters; never a secret of LiveKit",
     .read = read_with<&Config::auth_jwt_secret, readers::secret>,
     .for_token = true},
    {.name = "AUTH_JWT_SECRET_PREVIOUS",
     .default_text = "",
     .meaning = "accepted too, for rotation",
     .read = read_with<&Config::auth_jwt_secret_previous, readers::secret>},
    {.name = "AUTH_JWKS_URL",
     .default_text = "",
     .meaning = "the JWK set of an identity provider, whose RS256, ES256 and EdDSA user tokens are accepted; "
                "https, http or file:///path",
     .read = read_with<&Config::auth_jwks_url, readers::jwks_url>},
    {.name = "AUTH_JWT_ISSUER",
     .default_text = "",
     .meaning = "the iss that user tokens must have",
     .read = read_text<&Config::auth_jwt_issuer>,
     .for_token = true},
    {.name = "AUTH_JWT_AUDIENCE",
     .default_text = "",
     .meaning = "the aud that user tokens must have",
     .read = read_text<&Config::auth_jwt_audience>,
     .for_token = true},
    {.name = "HOST",
     .default_text = "127.0.0.1",
     .meaning = "the address to listen on; 0.0.0.0 or :: for all",
     .read = read_with<&Config::host, readers::host>},
    {.name = "PORT",
     .default_text = "8000",
     .meaning = "the port to listen on; 0 picks a free one, named in the log line `listening`",
     .read = read_number<&Config::port, 0, 65'535>},
    {.name = "WORKERS",
     .default_text = "cores",
     .meaning = "threads that serve, 1 to 256",
     .read = read_number<&Config::workers, 1, 256>,
     .fill =
         [](Config& config) {
           config.workers = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 256U));
         }},
    {.name = "MIGRATE_ON_START",
     .default_text = "true for SQLite, else false",
     .meaning = "bring the schema up to date before serving; else an outdated schema is refused",
     .read = read_with<&Config::migrate_on_start, readers::truth>,
     .fill = [](Config& config) { config.migrate_on_start = config.uses_sqlite(); }},
    {.name = "CORS_ALLOW_ORIGINS",
     .default_text = "",
     .meaning = "origins of web pages that may call, separated by commas, or *",
     .read = read_with<&Config::cors_allow_origins, readers::origins>},
    {.name = "LOG_LEVEL",
     .default_text = "info",
     .meaning = "debug, info, warning or error",
     .read = read_with<&Config::log_level, readers::log_level>,
     .for_database = true,
     .for_token = true},
    {.name = "LOG_FORMAT",
     .default_text = "json",
     .meaning = "json, or text for people",
     .read = read_with<&Config::log_format, readers::log_format>,
     .for_database = true,
     .for_token = true},
    {.name = "METRICS_HOST",
     .default_text = "127.0.0.1",
     .meaning = "the address of the listener for metrics; whoever reaches it may read them",
     .read = read_with<&Config::metrics_host, readers::host>},
    {.name = "METRICS_PORT",
     .default_text = "",
     .meaning = "a port for /metrics without a key; 0 picks a free one, named in the log line `listening_for_metrics`",
     .read = read_number<&Config::metrics_port, 0, 65'535>},
    {.name = "RECONCILE_INTERVAL_SECONDS",
     .default_text = "5",
     .meaning = "how often calls are compared with LiveKit, 0 to 86400; 0: never, but timers still ask it",
     .read = read_number<&Config::reconcile_interval, 0, seconds_a_day>},
    {.name = "CALL_NEVER_JOINED_TIMEOUT_SECONDS",
     .default_text = "900",
     .meaning = "a call that nobody ever entered ends this long after its newest token; 0: never",
     .read = read_number<&Config::call_never_joined_timeout, 0, seconds_a_year>},
    {.name = "CALL_MAX_DURATION_SECONDS",
     .default_text = "0",
     .meaning = "a call ends this long after its start, whoever is in it; 0: never",
     .read = read_number<&Config::call_max_duration, 0, seconds_a_year>},
    {.name = "CALL_RETENTION_DAYS",
     .default_text = "0",
     .meaning = "ended calls older than this are erased with their sessions, timeline and events, and users left "
                "without any call; 0: kept",
     .read = read_number<&Config::call_retention_days, 0, 36'500>},
};

bool belongs_to(ConfigScope scope, const Variable& variable) {
  switch (scope) {
    case ConfigScope::serve:
      return true;
    case ConfigScope::database:
      return variable.for_database;
    case ConfigScope::token:
      return variable.for_token;
  }
  std::unreachable();
}

Remedy read_variable(const Variable& variable, std::optional<std::string> text, Config& config) {
  if (text && text->empty()) text.reset();
  if (!text && variable.required) return "is required: " + std::string(variable.meaning);
  if (!text && variable.fill != nullptr) {
    variable.fill(config);
    return std::nullopt;
  }
  if (!text && variable.default_text.empty()) return std::nullopt;
  if (text && (!is_utf8(*text) || has_control_characters(*text))) {
    return "must not contain control characters, such as a line break at the end";
  }
  return variable.read(text ? std::string_view(*text) : variable.default_text, config);
}

}  // namespace

bool Config::uses_sqlite() const {
  return database_url.starts_with("sqlite:");
}

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

ConfigReading read_config_as_it_is(const Environment& environment, ConfigScope scope) {
  ConfigReading reading;
  auto& [config, faults] = reading;
  for (const Variable& variable : variables) {
    if (!belongs_to(scope, variable)) continue;
    if (const Remedy remedy = read_variable(variable, environment(variable.name), config)) {
      // A list has one for each entry.
      for (const auto each : std::views::split(*remedy, '\n')) {
        faults.push_back(std::string(variable.name) + ": " + std::string(std::string_view(each)));
      }
    }
  }
  if (scope == ConfigScope::serve) {
    check_secrets(config, environment, faults);
    check_ports(config, faults);
  }
  return reading;
}

std::expected<Config, std::vector<std::string>> read_config(const Environment& environment, ConfigScope scope) {
  ConfigReading reading = read_config_as_it_is(environment, scope);
  if (!reading.faults.empty()) return std::unexpected(std::move(reading.faults));
  return std::move(reading.config);
}

std::string config_help() {
  std::string out = "Configuration (environment variables):\n";
  for (const Variable& variable : variables) {
    out.append("  ").append(variable.name);
    if (variable.required) out.append(" (required)");
    if (!variable.default_text.empty()) out.append(" (default: ").append(variable.default_text).append(")");
    out.append("\n      ").append(variable.meaning).append("\n");
  }
  return out;
}

std::string config_markdown() {
  std::string out =
      "# Configuration\n\n"
      "From the environment, read once at the start. An empty value counts as not set. Wrong values stop the service "
      "with\n"
      "exit status 2, each with its remedy. This page is `call-service config --format markdown`.\n\n"
      "| variable | default | meaning |\n| --- | --- | --- |\n";
  for (const Variable& variable : variables) {
    out.append("| `").append(variable.name).append("` | ");
    if (variable.required) out.append("required");
    if (!variable.default_text.empty()) out.append("`").append(variable.default_text).append("`");
    out.append(" | ").append(variable.meaning).append(" |\n");
  }
  return out;
}

std::string config_environment_file() {
  std::string out =
      "# Configuration of call-service. A change takes effect with: systemctl restart call-service\n"
      "# Check it with: call-service --env-file /etc/call-service/call-service.env doctor\n";
  for (const Variable& variable : variables) {
    const bool is_told = variable.fill != nullptr;  // its default is no value
    out.append("\n# ").append(variable.meaning);
    if (variable.required) out.append(" (required)");
    if (is_told) out.append(" (default: ").append(variable.default_text).append(")");
    out.append("\n#").append(variable.name).append("=").append(is_told ? "" : variable.default_text).append("\n");
  }
  return out;
}

}  // namespace call_service
