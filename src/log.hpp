#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

// Structured logging: one line an event, JSON or text for people. Values are escaped, so nothing a client sends can
// forge a line. Never pass a token, a key or a password. Safe on any thread.
namespace call_service::log {

enum class Level { debug, info, warning, error };
enum class Format { json, text };

// One member of a log line. The views must live until the call returns.
struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  Field(std::string_view label, std::string_view text) : name(label), value(text) {}
  Field(std::string_view label, const char* text) : name(label), value(std::string_view(text)) {}
  Field(std::string_view label, bool flag) : name(label), value(flag) {}
  Field(std::string_view label, double number) : name(label), value(number) {}
  template <typename Integer>
    requires std::is_integral_v<Integer> && (!std::is_same_v<Integer, bool>)
  Field(std::string_view label, Integer number) : name(label), value(static_cast<std::int64_t>(number)) {}
};

// Call once, before other threads start. Lines go to standard output.
void configure(Level level, Format format);

bool enabled(Level level);

// `event` is a short constant phrase; everything variable is a field.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
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
