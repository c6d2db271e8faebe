#include "wire/write.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/text.hpp"

namespace call_service::wire {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

constexpr bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

constexpr std::uint64_t in_each_byte(std::uint8_t value) {
  return 0x0101010101010101U * value;
}

// Whether eight characters are all plain. Every byte below 0x80 is told apart in its highest bit, which is then free.
constexpr bool are_plain(std::uint64_t word) {
  constexpr std::uint64_t high = in_each_byte(0x80);
  const auto has_no = [](std::uint64_t bytes, std::uint8_t value) {
    return (bytes ^ in_each_byte(value)) + in_each_byte(0x7F);
  };
  const std::uint64_t low_bits = word & ~high;
  const std::uint64_t not_control = low_bits + in_each_byte(0x60);
  const std::uint64_t not_special = has_no(low_bits, '"') & has_no(low_bits, '\\') & has_no(low_bits, 0x7F);
  return ((not_control & not_special & ~word) & high) == high;
}

std::size_t count_plain(std::string_view text) {
  std::size_t count = 0;
  for (; count + 8 <= text.size(); count += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + count, 8);
    if (!are_plain(word)) break;
  }
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
  while (true) {
    const std::size_t plain = count_plain(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (const char c = text.front(); c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
      append_escape(out, static_cast<unsigned char>(c));
    } else {
      out += c;
    }
    text.remove_prefix(1);
  }
  out += '"';
}

void append_key(std::string& out, std::string_view name) {
  const std::size_t begin = out.size();
  const std::size_t end = begin + name.size() + 3;
  // The size that is handed in is not used: by libstdc++ 12 it is the capacity.
  out.resize_and_overwrite(end, [&](char* text, std::size_t) {
    text[begin] = '"';
    std::ranges::copy(name, text + begin + 1);
    text[end - 2] = '"';
    text[end - 1] = ':';
    return end;
  });
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
  append_number(out, value);
}

void append_value(std::string& out, std::int64_t value) {
  append_number(out, value);
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
