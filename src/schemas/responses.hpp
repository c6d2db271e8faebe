#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "wire/field.hpp"

// The bodies of responses.
namespace call_service::schemas {

struct CallResponse {
  Uuid call_id{};
  std::string caller_id{};
  std::string room_name{};
  std::string status{};
  Timestamp started_at{};
  std::optional<Timestamp> ended_at{};
  std::optional<std::string> end_reason{};
  std::optional<std::string> ended_by{};
  std::optional<std::string> ended_by_type{};
  std::optional<std::vector<std::string>> user_ids{};
  std::optional<int> max_participants{};
  std::optional<wire::JsonObject> metadata{};
  int participant_count = 0;
  std::optional<std::string> room_deletion{};

  static constexpr std::string_view schema_name = "Call";
  static constexpr auto fields() {
    return std::tuple{
        wire::field("call_id", &CallResponse::call_id),
        wire::field("caller_id", &CallResponse::caller_id),
        wire::field("room_name", &CallResponse::room_name),
        wire::field("status", &CallResponse::status, {.known_values = "active|ended"}),
        wire::field("started_at", &CallResponse::started_at),
        wire::field("ended_at", &CallResponse::ended_at),
        wire::field("end_reason", &CallResponse::end_reason,
                    {.known_values = "ended|room_finished|never_joined|max_duration|reconciled"}),
        wire::field("ended_by", &CallResponse::ended_by),
        wire::field("ended_by_type", &CallResponse::ended_by_type, {.known_values = "user|service"}),
        wire::field("user_ids", &CallResponse::user_ids),
        wire::field("max_participants", &CallResponse::max_participants),
        wire::field("metadata", &CallResponse::metadata),
        wire::field("participant_count", &CallResponse::participant_count),
        wire::field("room_deletion", &CallResponse::room_deletion, {.known_values = "pending|done"}),
    };
  }
};

struct SessionResponse {
  Uuid session_id{};
  Uuid call_id{};
  std::string user_id{};
  std::string name{};
  std::string status{};
  Timestamp created_at{};
  std::optional<Timestamp> joined_at{};
  std::optional<Timestamp> left_at{};
  std::optional<std::string> disconnect_reason{};
  std::optional<std::string> end_reason{};

  static constexpr std::string_view schema_name = "Session";
  static constexpr auto fields() {
    return std::tuple{
        wire::field("session_id", &SessionResponse::session_id),
        wire::field("call_id", &SessionResponse::call_id),
        wire::field("user_id", &SessionResponse::user_id),
        wire::field("name", &SessionResponse::name),
        wire::field("status", &SessionResponse::status, {.known_values = "pending|active|ended"}),
        wire::field("created_at", &SessionResponse::created_at),
        wire::field("joined_at", &SessionResponse::joined_at),
        wire::field("left_at", &SessionResponse::left_at),
        wire::field("disconnect_reason", &SessionResponse::disconnect_reason),
        wire::field("end_reason", &SessionResponse::end_reason,
                    {.known_values = "left|connection_aborted|replaced|removed|call_ended|never_joined|reconciled"}),
    };
  }
};

struct StartedCallResponse : CallResponse {
  using Base = CallResponse;
  Uuid session_id{};
  std::string livekit_token{};
  Timestamp livekit_token_expires_at{};
  std::string livekit_url{};

  static constexpr std::string_view schema_name = "StartedCall";
  static constexpr auto fields() {
    return std::tuple{
        wire::field("session_id", &StartedCallResponse::session_id),
        wire::field("livekit_token", &StartedCallResponse::livekit_token),
        wire::field("livekit_token_expires_at", &StartedCallResponse::livekit_token_expires_at),
        wire::field("livekit_url", &StartedCallResponse::livekit_url),
    };
  }
};

struct JoinedCallResponse {
  Uuid call_id{};
  Uuid session_id{};
  std::string user_id{};
  std::string room_name{};
  std::string livekit_token{};
  Timestamp livekit_token_expires_at{};
  std::string livekit_url{};

  static constexpr std::string_view schema_name = "JoinedCall";
  static constexpr auto fields() {
    return std::tuple{
        wire::field("call_id", &JoinedCallResponse::call_id),
        wire::field("session_id", &JoinedCallResponse::session_id),
        wire::field("user_id", &JoinedCallResponse::user_id),
        wire::field("room_name", &JoinedCallResponse::room_name),
        wire::field("livekit_token", &JoinedCallResponse::livekit_token),
        wire::field("livekit_token_expires_at", &JoinedCallResponse::livekit_token_expires_at),
        wire::field("livekit_url", &JoinedCallResponse::livekit_url),
    };
  }
};

struct CallDetailsResponse : CallResponse {
  using Base = CallResponse;
  std::vector<SessionResponse> sessions{};
  std::optional<std::string> sessions_next_cursor{};

  static constexpr std::string_view schema_name = "CallDetails";
  static constexpr auto fields() {
    return std::tuple{wire::field("sessions", &CallDetailsResponse::sessions),
                      wire::field("sessions_next_cursor", &CallDetailsResponse::sessions_next_cursor)};
  }
};

struct WebhookResponse {
  std::string result{};

  static constexpr std::string_view schema_name = "WebhookResult";
  static constexpr auto fields() {
    return std::tuple{wire::field("result", &WebhookResponse::result, {.known_values = "applied|duplicate|ignored"})};
  }
};

struct HealthResponse {
  std::string status = "ok";

  static constexpr std::string_view schema_name = "Health";
  static constexpr auto fields() { return std::tuple{wire::field("status", &HealthResponse::status)}; }
};

struct Check {
  std::string status{};  // ok | failed
  std::optional<std::string> detail{};

  static constexpr std::string_view schema_name = "Check";
  static constexpr auto fields() {
    return std::tuple{wire::field("status", &Check::status, {.known_values = "ok|failed"}),
                      wire::field("detail", &Check::detail)};
  }
};

struct WebhookCheck {
  std::optional<Timestamp> last_accepted_at{};
  std::optional<Timestamp> last_rejected_at{};
  std::optional<std::string> last_rejection{};

  static constexpr std::string_view schema_name = "WebhookCheck";
  static constexpr auto fields() {
    return std::tuple{wire::field("last_accepted_at", &WebhookCheck::last_accepted_at),
                      wire::field("last_rejected_at", &WebhookCheck::last_rejected_at),
                      wire::field("last_rejection", &WebhookCheck::last_rejection,
                                  {.known_values = "issuer|signature|expired|hash"})};
  }
};

struct Checks {
  Check database{};
  Check migrations{};
  Check livekit{};
  WebhookCheck webhooks{};

  static constexpr std::string_view schema_name = "Checks";
  static constexpr auto fields() {
    return std::tuple{wire::field("database", &Checks::database), wire::field("migrations", &Checks::migrations),
                      wire::field("livekit", &Checks::livekit), wire::field("webhooks", &Checks::webhooks)};
  }
};

struct ReadyResponse {
  std::string status{};
  Checks checks{};

  static constexpr std::string_view schema_name = "Readiness";
  static constexpr auto fields() {
    return std::tuple{wire::field("status", &ReadyResponse::status, {.known_values = "ready|not_ready"}),
                      wire::field("checks", &ReadyResponse::checks)};
  }
};

}  // namespace call_service::schemas
