#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "fake_livekit/faults.hpp"
#include "wire/field.hpp"

// The bodies of requests to the control API: docs/how-to/test-your-integration.md.
namespace call_service::fake_livekit {

inline constexpr std::string_view kinds = "STANDARD|INGRESS|EGRESS|SIP|AGENT|CONNECTOR|BRIDGE";
inline constexpr wire::Rules a_name{.min_length = 1, .max_length = 256};
inline constexpr wire::Rules a_time{.min = 0, .max = 253'402'300'799'999};
inline constexpr wire::Rules a_duration{.min = 0, .max = 3'600'000};

struct SettingsBody {
  std::optional<std::string> webhook_url{};  // "": nobody is told
  std::optional<bool> auto_create{};
  std::optional<bool> listening{};

  static constexpr auto fields() {
    return std::tuple{
        wire::field("webhook_url", &SettingsBody::webhook_url),
        wire::field("auto_create", &SettingsBody::auto_create),
        wire::field("listening", &SettingsBody::listening),
    };
  }
};

struct JoinBody {
  std::optional<std::string> token{};  // or room and identity
  std::optional<std::string> room{};
  std::optional<std::string> identity{};
  std::optional<std::string> name{};
  std::optional<std::string> metadata{};
  std::optional<std::string> kind{};
  std::optional<wire::JsonObject> attributes{};
  std::optional<bool> media = true;

  static constexpr auto fields() {
    return std::tuple{
        wire::field("token", &JoinBody::token),
        wire::field("room", &JoinBody::room, a_name),
        wire::field("identity", &JoinBody::identity, a_name),
        wire::field("name", &JoinBody::name),
        wire::field("metadata", &JoinBody::metadata),
        wire::field("kind", &JoinBody::kind, {.values = kinds}),
        wire::field("attributes", &JoinBody::attributes),
        wire::field("media", &JoinBody::media),
    };
  }
};

struct PlacedBody {
  std::optional<std::string> sid{};
  std::string identity{};
  std::optional<std::string> state = "ACTIVE";
  std::optional<std::string> kind = "STANDARD";
  std::optional<std::int64_t> joined_at_ms{};
  std::optional<wire::JsonObject> attributes{};

  static constexpr auto fields() {
    return std::tuple{
        wire::field("sid", &PlacedBody::sid, a_name),
        wire::field("identity", &PlacedBody::identity, a_name),
        wire::field("state", &PlacedBody::state, {.values = "JOINING|JOINED|ACTIVE|DISCONNECTED"}),
        wire::field("kind", &PlacedBody::kind, {.values = kinds}),
        wire::field("joined_at_ms", &PlacedBody::joined_at_ms, a_time),
        wire::field("attributes", &PlacedBody::attributes),
    };
  }
};

struct RoomBody {
  std::vector<PlacedBody> participants{};
  std::optional<std::string> sid{};
  std::optional<std::int64_t> created_at_ms{};

  static constexpr auto fields() {
    return std::tuple{
        wire::field("participants", &RoomBody::participants),
        wire::field("sid", &RoomBody::sid, a_name),
        wire::field("created_at_ms", &RoomBody::created_at_ms, a_time),
    };
  }
};

struct WhoBody {
  std::string room{};
  std::string identity{};
  std::optional<std::string> reason{};
  std::optional<int> milliseconds{};

  static constexpr auto fields() {
    return std::tuple{
        wire::field("room", &WhoBody::room, a_name),
        wire::field("identity", &WhoBody::identity, a_name),
        wire::field("reason", &WhoBody::reason, a_name),
        wire::field("milliseconds", &WhoBody::milliseconds, a_duration),
    };
  }
};

struct FaultRules {
  std::optional<std::string> room{};
  std::optional<int> percent = 100;
  std::optional<int> times{};
  std::optional<int> milliseconds{};

  static constexpr auto fields() {
    return std::tuple{
        wire::field("room", &FaultRules::room, a_name),
        wire::field("percent", &FaultRules::percent, {.min = 1, .max = 100}),
        wire::field("times", &FaultRules::times, {.min = 1}),
        wire::field("milliseconds", &FaultRules::milliseconds, a_duration),
    };
  }
};

struct RequestFaultBody : FaultRules {
  using Base = FaultRules;
  std::string fault{};
  std::optional<std::string> method{};

  static constexpr auto fields() {
    return std::tuple{
        wire::field("fault", &RequestFaultBody::fault, {.values = request_faults}),
        wire::field("method", &RequestFaultBody::method, a_name),
    };
  }
};

struct WebhookFaultBody : FaultRules {
  using Base = FaultRules;
  std::string fault{};
  std::optional<std::string> event{};

  static constexpr auto fields() {
    return std::tuple{
        wire::field("fault", &WebhookFaultBody::fault, {.values = webhook_faults}),
        wire::field("event", &WebhookFaultBody::event, a_name),
    };
  }
};

}  // namespace call_service::fake_livekit
