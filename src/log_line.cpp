#include "log_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "wire/write.hpp"

namespace call_service::log {
namespace {

std::string_view name_of(Level level) {
  constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

template <typename Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits{};
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

// What text shows without quotes.
bool is_bare(std::string_view text) {
  constexpr std::string_view others = "-_./:+@%,;*()#&?!~";
  return !text.empty() && std::ranges::all_of(text, [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.contains(c);
  });
}

class ValueWriter {
 public:
  ValueWriter(std::string& out, Format format) : out_(out), format_(format) {}

  void operator()(std::string_view text) const {
    if (format_ == Format::text && is_bare(text)) {
      out_ += text;
    } else {
      wire::append_string(out_, text);
    }
  }
  void operator()(std::int64_t number) const { append_number(out_, number); }
  void operator()(double number) const {
    if (std::isfinite(number)) {
      append_number(out_, number);
    } else {
      out_ += "null";
    }
  }
  void operator()(bool flag) const { out_ += flag ? "true" : "false"; }

 private:
  std::string& out_;
  Format format_;
};

void append_json(std::string& out, Timestamp at, Level level, std::string_view event, std::span<const Field> fields) {
  out += R"({"time":")";
  append_timestamp(out, at);
  out.append(R"(","level":")").append(name_of(level)).append(R"(","event":)");
  wire::append_string(out, event);
  for (const Field& field : fields) {
    out += ',';
    wire::append_string(out, field.name);
    out += ':';
    std::visit(ValueWriter(out, Format::json), field.value);
  }
  out += '}';
}

void append_text(std::string& out, Timestamp at, Level level, std::string_view event, std::span<const Field> fields) {
  append_timestamp(out, at);
  out.append(" ").append(name_of(level)).append(" ");
  const std::string quoted = wire::quote(event);
  out.append(quoted, 1, quoted.size() - 2);
  for (const Field& field : fields) {
    out.append(" ").append(field.name).append("=");
    std::visit(ValueWriter(out, Format::text), field.value);
  }
}

}  // namespace

void append_line(std::string& out, Format format, Timestamp at, Level level, std::string_view event,
                 std::span<const Field> fields) {
  if (format == Format::json) {
    append_json(out, at, level, event, fields);
  } else {
    append_text(out, at, level, event, fields);
  }
}

}  // namespace call_service::log
