#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "log.hpp"

namespace call_service::log {

enum class Style { json, text, coloured_text };

// Texts longer than this many bytes are cut, and end in an ellipsis.
inline constexpr std::size_t longest_value = 1024;

// Appends one log line, without its line break. Whatever the values hold, the line has no control characters (but the
// colours of coloured_text) and is UTF-8.
//   json: {"time":"2026-11-22T15:39:21.123Z","level":"info","event":"listening","port":8000}
//   text: 2026-11-22T15:39:21.123Z info    listening             port=8000
void append_line(std::string& out, Style style, Timestamp at, Level level, std::string_view event, const Origin& origin,
                 std::span<const Field> fields);

}  // namespace call_service::log
