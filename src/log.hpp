#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

#include "base/uuid.hpp"

// Structured logging: one line an event, JSON or text for people. Values are escaped and cut at 1024 bytes, so nothing
// a client sends can forge a line or flood the log. Never pass a token, a key or a password. Safe on any thread. A call
// allocates nothing; below the level it does nothing. docs/reference/log-events.md lists the events.
namespace call_service::log {

enum class Level { debug, info, warning, error };
enum class Format { json, text };

// One member of a log line; an empty text is left out. The views must live until the call returns.
struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool, Uuid> value;

  Field(std::string_view label, std::string_view text) : name(label), value(text) {}
  Field(std::string_view label, const char* text) : name(label), value(std::string_view(text)) {}
  Field(std::string_view label, bool flag) : name(label), value(flag) {}
  Field(std::string_view label, double number) : name(label), value(number) {}
  Field(std::string_view label, const Uuid& id) : name(label), value(id) {}
  template <typename Integer>
    requires std::is_integral_v<Integer> && (!std::is_same_v<Integer, bool>)
  Field(std::string_view label, Integer number) : name(label), value(static_cast<std::int64_t>(number)) {}
};

// What all lines of one request have in common; empty texts: none. Passed on by reference, it lives as long as the
// request is handled.
struct Origin {
  std::string_view request_id{};
  std::string_view trace_id{};   // of a valid traceparent
  std::string_view parent_id{};  // its span, of which the request is a part
};

// Call once, before other threads start. Lines go to standard output; text is coloured if that is a terminal and
// NO_COLOR is not set.
void configure(Level level, Format format);

bool enabled(Level level);

// `event` is a short constant phrase; everything variable is a field.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});
void write(Level level, std::string_view event, const Origin& origin, std::initializer_list<Field> fields);

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
}
inline void info(std::string_view event, const Origin& origin, std::initializer_list<Field> fields) {
  write(Level::info, event, origin, fields);
}
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::warning, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, fields);
}

// Writes out what is buffered; call before the process ends.
void flush();

}  // namespace call_service::log
