#pragma once

#include <string_view>

// The document's introduction, in Markdown; a table of all error codes is put behind it.
namespace call_service::api::openapi {

inline constexpr std::string_view introduction = R"(Starts, joins and ends audio and video calls on top of
[LiveKit](https://livekit.io), and keeps the record of who was in which call and when.

**Call somebody.** `POST /calls`, then `POST /calls/{call_id}/join/{user_id}` for each further user. Both answer with
`livekit_url` and `livekit_token`: give them to `room.connect(livekit_url, livekit_token)` of any LiveKit SDK, and the user
is in the call. `POST /calls/{call_id}/end` ends it for all.

**Credentials.** A *service key* (a back end; may act for any user) as `X-API-Key: …` or `Authorization: Bearer …`. A *user
token* (a front end; acts only as its `sub`) as `Authorization: Bearer …`: a JWT with `sub` and `exp`. To try things out,
`call-service token --user ada` prints one. Send one credential, not both.

**Conventions.** JSON, UTF-8, at most 64 KiB. Times are RFC 3339 in UTC with milliseconds. Ids made here are UUIDv7 in lower
case. Optional members that are null count as absent; unknown members are refused. Responses may gain members, and values
marked as open may gain values: do not fail on them. `HEAD` works wherever `GET` does. Paths need user ids percent-encoded.

**Lists** are `{"data": […], "next_cursor": …}`. Give `next_cursor` back as `cursor`, with the same filters, until it is null.

**Errors** are `application/problem+json` (RFC 9457). Decide by `code`; show `detail`; report `request_id`, it is in the
service's log. A 422 lists *all* faults in `errors`, each with a JSON pointer into the body or the name of a parameter. After
a 503 a retry is safe; wait for `Retry-After` seconds.
)";

}  // namespace call_service::api::openapi
