#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "schemas/members.hpp"
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
        wire::field("call_id", &CallResponse::call_id, members::call_id),
        wire::field("caller_id", &CallResponse::caller_id, {.description = "Who started it.", .example = "\"ada\""}),
        wire::field("room_name", &CallResponse::room_name, members::room_name),
        wire::field("status", &CallResponse::status, {.values = "active|ended"}),
        wire::field("started_at", &CallResponse::started_at),
        wire::field("ended_at", &CallResponse::ended_at, {.description = "null while active."}),
        wire::field("end_reason", &CallResponse::end_reason,
                    {.description = "null while active.",
                     .known_values = "ended|room_finished|never_joined|max_duration|reconciled"}),
        wire::field("ended_by", &CallResponse::ended_by, {.description = "A user's id, or the name of a service key."}),
        wire::field("ended_by_type", &CallResponse::ended_by_type, {.values = "user|service"}),
        wire::field("user_ids", &CallResponse::user_ids,
                    {.description = "Who may join; null: whoever knows the call's id."}),
        wire::field("max_participants", &CallResponse::max_participants, {.description = "null: any number."}),
        wire::field("metadata", &CallResponse::metadata, {.description = "As it was given when the call was started."}),
        wire::field("participant_count", &CallResponse::participant_count,
                    {.description = "Sessions that are active now."}),
        wire::field("room_deletion", &CallResponse::room_deletion,
                    {.description = "Whether LiveKit's room must still be deleted; null: it need not be.",
                     .values = "pending|done"}),
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
        wire::field("session_id", &SessionResponse::session_id, members::session_id),
        wire::field("call_id", &SessionResponse::call_id, members::call_id),
        wire::field("user_id", &SessionResponse::user_id, {.example = "\"bob\""}),
        wire::field("name", &SessionResponse::name, {.description = "The display name.", .example = "\"Bob\""}),
        wire::field(
            "status", &SessionResponse::status,
            {.description = "`pending`: has a token. `active`: is connected.", .values = "pending|active|ended"}),
        wire::field("created_at", &SessionResponse::created_at),
        wire::field("joined_at", &SessionResponse::joined_at),
        wire::field("left_at", &SessionResponse::left_at),
        wire::field("disconnect_reason", &SessionResponse::disconnect_reason,
                    {.description = "LiveKit's, in lower case, where it told one.",
                     .known_values = "client_initiated|duplicate_identity|participant_removed|room_deleted|room_closed|"
                                     "connection_timeout"}),
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
  std::optional<bool> room_ready{};

  static constexpr std::string_view schema_name = "StartedCall";
  static constexpr auto fields() {
    return std::tuple{
        wire::field("session_id", &StartedCallResponse::session_id, members::session_id),
        wire::field("livekit_token", &StartedCallResponse::livekit_token, members::livekit_token),
        wire::field("livekit_token_expires_at", &StartedCallResponse::livekit_token_expires_at,
                    members::livekit_token_expires_at),
        wire::field("livekit_url", &StartedCallResponse::livekit_url, members::livekit_url),
        wire::field("room_ready", &StartedCallResponse::room_ready, members::room_ready),
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
  std::optional<bool> room_ready{};

  static constexpr std::string_view schema_name = "JoinedCall";
  static constexpr auto fields() {
    return std::tuple{
        wire::field("call_id", &JoinedCallResponse::call_id, members::call_id),
        wire::field("session_id", &JoinedCallResponse::session_id, members::session_id),
        wire::field("user_id", &JoinedCallResponse::user_id, {.example = "\"bob\""}),
        wire::field("room_name", &JoinedCallResponse::room_name, members::room_name),
        wire::field("livekit_token", &JoinedCallResponse::livekit_token, members::livekit_token),
        wire::field("livekit_token_expires_at", &JoinedCallResponse::livekit_token_expires_at,
                    members::livekit_token_expires_at),
        wire::field("livekit_url", &JoinedCallResponse::livekit_url, members::livekit_url),
        wire::field("room_ready", &JoinedCallResponse::room_ready, members::room_ready),
    };
  }
};

struct CallDetailsResponse : CallResponse {
  using Base = CallResponse;
  std::vector<SessionResponse> sessions{};
  std::optional<std::string> sessions_next_cursor{};

  static constexpr std::string_view schema_name = "CallDetails";
  static constexpr auto fields() {
    return std::tuple{
        wire::field("sessions", &CallDetailsResponse::sessions, {.description = "The first 200, oldest first."}),
        wire::field("sessions_next_cursor", &CallDetailsResponse::sessions_next_cursor, members::next_cursor)};
  }
};

namespace detail {

// "Call" -> "CallList".
template <typename Item>
inline constexpr auto list_name = [] {
  constexpr std::string_view end = "List";
  std::array<char, Item::schema_name.size() + end.size()> name{};
  std::ranges::copy(end, std::ranges::copy(Item::schema_name, name.begin()).out);
  return name;
}();

}  // namespace detail

// One page of a list.
template <typename Item>
struct Page {
  std::vector<Item> data{};
  std::optional<std::string> next_cursor{};

  static constexpr std::string_view schema_name{detail::list_name<Item>.data(), detail::list_name<Item>.size()};
  static constexpr auto fields() {
    return std::tuple{wire::field("data", &Page::data),
                      wire::field("next_cursor", &Page::next_cursor,
                                  {.description = "`cursor` of the next page; null: this is the last"})};
  }
};

struct UserResponse {
  std::string user_id{};
  Timestamp created_at{};
  std::vector<SessionResponse> active_sessions{};

  static constexpr std::string_view schema_name = "User";
  static constexpr auto fields() {
    return std::tuple{wire::field("user_id", &UserResponse::user_id),
                      wire::field("created_at", &UserResponse::created_at),
                      wire::field("active_sessions", &UserResponse::active_sessions,
                                  {.description = "the user's sessions with status `active`, in all calls"})};
  }
};

// Members that do not apply to an entry are left out.
struct TimelineEntryResponse {
  std::int64_t seq = 0;
  Timestamp at{};
  Timestamp occurred_at{};
  std::string type{};
  std::string cause{};
  std::optional<std::string> actor{};
  Uuid call_id{};
  std::optional<Uuid> session_id{};
  std::optional<std::string> user_id{};
  std::optional<std::string> event_id{};
  std::optional<wire::JsonObject> detail{};

  static constexpr std::string_view schema_name = "TimelineEntry";
  static constexpr auto fields() {
    using Entry = TimelineEntryResponse;
    return std::tuple{
        wire::field("seq", &Entry::seq, {.min = 1, .description = "1, 2, … in the call, in the order applied"}),
        wire::field("at", &Entry::at, {.description = "when it was applied"}),
        wire::field("occurred_at", &Entry::occurred_at,
                    {.description = "when it happened: LiveKit's time, where LiveKit told; else the same as `at`"}),
        wire::field("type", &Entry::type,
                    {.known_values = "call.started|call.ended|session.created|session.joined|session.left|"
                                     "session.updated|room.started|room.finished|room.deletion_requested|"
                                     "room.deleted"}),
        wire::field("cause", &Entry::cause, {.known_values = "api|webhook|reconciler|timer"}),
        wire::field("actor", &Entry::actor,
                    {.description = "user id or name of the service key that asked for it", .omit_null = true}),
        wire::field("call_id", &Entry::call_id),
        wire::field("session_id", &Entry::session_id, {.omit_null = true}),
        wire::field("user_id", &Entry::user_id, {.description = "whose session it is", .omit_null = true}),
        wire::field("event_id", &Entry::event_id, {.description = "of LiveKit's webhook", .omit_null = true}),
        wire::field("detail", &Entry::detail,
                    {.description = "what else is known: end_reason, disconnect_reason, participant_sid, room_sid, …",
                     .omit_null = true}),
    };
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
  static constexpr auto fields() {
    return std::tuple{wire::field("status", &HealthResponse::status, {.values = "ok"})};
  }
};

struct Check {
  std::string status{};  // ok | failed
  std::optional<std::string> detail{};

  static constexpr std::string_view schema_name = "Check";
  static constexpr auto fields() {
    return std::tuple{wire::field("status", &Check::status, {.values = "ok|failed"}),
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

struct JwksCheck {
  std::string status{};
  std::int64_t keys = 0;
  std::optional<Timestamp> fetched_at{};
  std::optional<std::string> last_error{};

  static constexpr std::string_view schema_name = "JwksCheck";
  static constexpr auto fields() {
    return std::tuple{wire::field("status", &JwksCheck::status, {.known_values = "ok|failing|pending"}),
                      wire::field("keys", &JwksCheck::keys, {.description = "how many of its keys are in use"}),
                      wire::field("fetched_at", &JwksCheck::fetched_at, {.description = "when it was last read"}),
                      wire::field("last_error", &JwksCheck::last_error,
                                  {.description = "why it could not be read since; the last good keys stay in use"})};
  }
};

struct Checks {
  Check database{};
  Check migrations{};
  Check livekit{};
  WebhookCheck webhooks{};
  std::optional<JwksCheck> jwks{};  // with AUTH_JWKS_URL only

  static constexpr std::string_view schema_name = "Checks";
  static constexpr auto fields() {
    return std::tuple{wire::field("database", &Checks::database), wire::field("migrations", &Checks::migrations),
                      wire::field("livekit", &Checks::livekit), wire::field("webhooks", &Checks::webhooks),
                      wire::field("jwks", &Checks::jwks, {.omit_null = true})};
  }
};

struct ReadyResponse {
  std::string status{};
  Checks checks{};

  static constexpr std::string_view schema_name = "Readiness";
  static constexpr auto fields() {
    return std::tuple{wire::field("status", &ReadyResponse::status, {.values = "ready|not_ready"}),
                      wire::field("checks", &ReadyResponse::checks)};
  }
};

}  // namespace call_service::schemas
