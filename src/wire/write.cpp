#include "wire/write.hpp"

#include <array>
#include <charconv>

#include "base/text.hpp"

namespace call_service::wire {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

constexpr bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

std::size_t count_plain(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_plain(static_cast<unsigned char>(text[count]))) ++count;
  return count;
}

void append_escape(std::string& out, char32_t c) {
  constexpr std::string_view named = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  out += '\\';
  if (const auto at = c < 0x80 ? named.find(static_cast<char>(c)) : std::string_view::npos; at != named.npos) {
    out += letters[at];
    return;
  }
  out += 'u';
  for (int shift = 12; shift >= 0; shift -= 4) out += hex_digits[c >> shift & 0xF];
}

constexpr bool needs_escape(char32_t c) {
  return c == '"' || c == '\\' || is_control(c) || c == 0x2028 || c == 0x2029;
}

// Appends the first character of a text and returns its size in bytes.
std::size_t append_front(std::string& out, std::string_view text) {
  const CodePoint front = decode_front(text);
  if (front.size == 0) {
    out += "\xEF\xBF\xBD";
    return 1;
  }
  if (needs_escape(front.value)) {
    append_escape(out, front.value);
  } else {
    out.append(text.substr(0, front.size));
  }
  return front.size;
}

template <typename Integer>
void append_integer(std::string& out, Integer value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (true) {
    const std::size_t plain = count_plain(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    text.remove_prefix(append_front(out, text));
  }
  out += '"';
}

void append_plain_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
      append_escape(out, static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string quote(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

namespace detail {

void append_value(std::string& out, const std::string& value) {
  append_string(out, value);
}

void append_value(std::string& out, bool value) {
  out += value ? "true" : "false";
}

void append_value(std::string& out, int value) {
  append_integer(out, value);
}

void append_value(std::string& out, std::int64_t value) {
  append_integer(out, value);
}

void append_value(std::string& out, const Uuid& value) {
  out += '"';
  value.append_to(out);
  out += '"';
}

void append_value(std::string& out, Timestamp value) {
  out += '"';
  append_timestamp(out, value);
  out += '"';
}

void append_value(std::string& out, const JsonObject& value) {
  out += value.text;
}

}  // namespace detail
}  // namespace call_service::wire
