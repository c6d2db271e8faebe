#pragma once

#include "schemas/text_rules.hpp"
#include "wire/field.hpp"

// What members that occur in several bodies mean.
namespace call_service::schemas::members {

inline constexpr wire::Rules call_id{.description = "The call's id.",
                                     .example = "\"0193558e-6c3f-7d0a-9a4e-2f6b1c8d5e70\""};
inline constexpr wire::Rules session_id{.description = "The session's id.",
                                        .example = "\"0193558e-6c41-7b52-8f19-c07d3e9ab214\""};
// The rules of `rules`, with a description of its own.
constexpr wire::Rules described(wire::Rules rules, std::string_view description) {
  rules.description = description;
  return rules;
}

inline constexpr auto caller_id =
    described(user_id, "Who calls. A service key has to name it; a user token may leave it out.");
inline constexpr auto on_behalf_of = described(user_id, "On whose behalf a service key ends the call.");
inline constexpr wire::Rules chosen_call_id{.description =
                                                "An id of yours, which makes starting safe to repeat. Any case."};
inline constexpr wire::Rules only_session_id{.description = "End only this session of the user."};
inline constexpr wire::Rules metadata{
    .max_length = 4096,
    .description =
        "Yours, returned as it came: at most 4 KiB as JSON text, without U+0000, numbers within a double's range. "
        "Whoever may read the call reads it; LiveKit does not get it.",
    .example = "{\"topic\":\"demo\"}"};
inline constexpr wire::Rules room_name{.description = "LiveKit's room: `call_` and the call id.",
                                       .example = "\"call_0193558e-6c3f-7d0a-9a4e-2f6b1c8d5e70\""};
inline constexpr wire::Rules livekit_token{
    .description = "For `room.connect(livekit_url, livekit_token)` of any LiveKit SDK. For this user only.",
    .example = "\"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyX2EifQ.c2lnbmF0dXJl\""};
inline constexpr wire::Rules livekit_token_expires_at{
    .description = "To connect by; who is connected needs no new one. Join again for a fresh token."};
inline constexpr wire::Rules livekit_url{
    .format = "uri", .description = "Always `ws` or `wss`.", .example = "\"wss://livekit.example.com\""};
inline constexpr wire::Rules room_ready{
    .description =
        "Only where the service creates rooms (`LIVEKIT_ROOM_CREATION=on_start`). false: LiveKit does not have "
        "the room yet; it is being created, so connect a little later or again.",
    .omit_null = true};
inline constexpr wire::Rules next_cursor{.description =
                                             "Give it back as `cursor` for what follows; null: this is the end."};

}  // namespace call_service::schemas::members
