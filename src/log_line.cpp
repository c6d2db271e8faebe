#include "log_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.hpp"
#include "wire/write.hpp"

namespace call_service::log {
namespace {

constexpr std::string_view reset_colour = "\x1B[0m";
constexpr std::string_view faint = "\x1B[2m";

std::string_view name_of(Level level) {
  constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

std::string_view colour_of(Level level) {
  constexpr std::array<std::string_view, 4> colours{"\x1B[2m", "\x1B[32m", "\x1B[33m", "\x1B[31m"};
  return colours[static_cast<std::size_t>(level)];
}

// What text shows without quotes.
bool is_bare(std::string_view text) {
  constexpr std::string_view others = "-_./:+@%,;*()#&?!~";
  return !text.empty() && std::ranges::all_of(text, [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.contains(c);
  });
}

// The front of a text, cut between two characters.
std::string_view cut(std::string_view text) {
  if (text.size() <= longest_value) return text;
  std::size_t end = longest_value;
  while (end > longest_value - 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

class ValueWriter {
 public:
  ValueWriter(std::string& out, bool json) : out_(out), json_(json) {}

  void operator()(std::string_view text) const {
    const std::string_view shown = cut(text);
    if (!json_ && is_bare(shown)) {
      out_ += shown;
    } else {
      wire::append_string(out_, shown);
    }
    if (shown.size() == text.size()) return;
    const bool quoted = json_ || !is_bare(shown);
    out_.insert(out_.size() - (quoted ? 1 : 0), "…");
  }
  void operator()(std::int64_t number) const { append_number(out_, number); }
  void operator()(double number) const {
    std::array<char, 32> digits{};
    if (std::isfinite(number)) {
      out_.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
    } else {
      out_ += "null";
    }
  }
  void operator()(bool flag) const { out_ += flag ? "true" : "false"; }
  void operator()(const Uuid& id) const {
    if (json_) out_ += '"';
    id.append_to(out_);
    if (json_) out_ += '"';
  }

 private:
  std::string& out_;
  bool json_;
};

bool is_empty(const Field& field) {
  const auto* text = std::get_if<std::string_view>(&field.value);
  return text != nullptr && text->empty();
}

void append_field(std::string& out, Style style, const Field& field) {
  if (is_empty(field)) return;
  if (style == Style::json) {
    out += ',';
    wire::append_key(out, field.name);
  } else {
    const bool coloured = style == Style::coloured_text;
    out += ' ';
    if (coloured) out += faint;
    out.append(field.name).append("=");
    if (coloured) out += reset_colour;
  }
  std::visit(ValueWriter(out, style == Style::json), field.value);
}

void append_json_head(std::string& out, Timestamp at, Level level, std::string_view event) {
  out += R"({"time":")";
  append_timestamp(out, at);
  out.append(R"(","level":")").append(name_of(level)).append(R"(","event":)");
  wire::append_string(out, event);
}

// Padded, so that people can read down the columns.
void append_padded(std::string& out, std::string_view text, std::size_t width) {
  out.append(text);
  if (text.size() < width) out.append(width - text.size(), ' ');
}

void append_text_head(std::string& out, Style style, Timestamp at, Level level, std::string_view event) {
  constexpr std::size_t level_width = 7;
  constexpr std::size_t event_width = 21;
  append_timestamp(out, at);
  out += ' ';
  if (style == Style::coloured_text) out += colour_of(level);
  append_padded(out, name_of(level), level_width);
  if (style == Style::coloured_text) out += reset_colour;
  out += ' ';
  const std::size_t begin = out.size();
  wire::append_string(out, event);
  out.pop_back();
  out.erase(begin, 1);
  const std::size_t length = out.size() - begin;
  if (length < event_width) out.append(event_width - length, ' ');
}

}  // namespace

void append_line(std::string& out, Style style, Timestamp at, Level level, std::string_view event, const Origin& origin,
                 std::span<const Field> fields) {
  if (style == Style::json) {
    append_json_head(out, at, level, event);
  } else {
    append_text_head(out, style, at, level, event);
  }
  append_field(out, style, {"request_id", origin.request_id});
  append_field(out, style, {"trace_id", origin.trace_id});
  append_field(out, style, {"parent_id", origin.parent_id});
  for (const Field& field : fields) append_field(out, style, field);
  if (style == Style::json) out += '}';
}

}  // namespace call_service::log
