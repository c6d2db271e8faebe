#pragma once

#include <optional>
#include <string>

#include "base/task.hpp"
#include "base/time.hpp"
#include "http/client.hpp"
#include "livekit/access_token.hpp"

namespace call_service::livekit {

// What answers at the place where LiveKit's API should be, as an operator wants to know it.
struct Inspection {
  enum class Outcome {
    works,
    no_answer,      // `error` says why
    unknown_key,    // LiveKit has no such key
    wrong_secret,   // it has, with another secret
    wrong_clock,    // it takes our token for expired or not yet valid
    refused,        // LiveKit refuses it for another reason
    out_of_order,   // 5xx: LiveKit, or a proxy before it, cannot do its work
    other_program,  // answers, but is not LiveKit's API
  };

  Outcome outcome = Outcome::works;
  int status = 0;  // HTTP's; 0 without an answer
  http::ClientError error{};
  std::optional<Timestamp> their_time{};  // by the header Date: whole seconds
};

// Asks RoomService for a room that cannot exist. `timeout` bounds the whole.
Task<Inspection> inspect(http::Client& client, const ApiKey& key, Timestamp now, Milliseconds timeout);

// An HTTP date of the form `Tue, 24 Nov 2026 00:17:14 GMT`.
std::optional<Timestamp> parse_http_date(const std::string& text);

}  // namespace call_service::livekit
