#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "log.hpp"

namespace call_service::log {

// Appends one log line, without its line break. Whatever the values hold, the line has no control characters and is
// UTF-8.
//   json: {"time":"2026-11-22T15:39:21.123Z","level":"info","event":"listening","port":8000}
//   text: 2026-11-22T15:39:21.123Z info listening port=8000
void append_line(std::string& out, Format format, Timestamp at, Level level, std::string_view event,
                 std::span<const Field> fields);

}  // namespace call_service::log
