#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace call_service {

// A moment in UTC with the precision of the contract: milliseconds.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;
using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// RFC 3339 with milliseconds and `Z`: 2026-11-22T15:39:21.123Z (always 24 characters for the years 0000 to 9999, so
// that text order is time order; SQLite stores this form).
std::string format_timestamp(Timestamp at);
void append_timestamp(std::string& out, Timestamp at);

// Reads RFC 3339 with any offset and 0 to 9 fractional digits (cut to milliseconds). Leap seconds are refused, and so
// is what lies outside the years 0000 to 9999 in UTC.
std::optional<Timestamp> parse_timestamp(std::string_view text);

// The source of "now"; injected, so that tests own the time. Implementations are safe on any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

}  // namespace call_service
