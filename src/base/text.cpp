#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace call_service {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t position) {
  return static_cast<std::uint8_t>(text[position]);
}

constexpr bool is_continuation(std::uint8_t byte) {
  return (byte & 0xC0) == 0x80;
}

// How many bytes the first byte of a sequence announces; 0: it cannot be a first byte.
constexpr std::size_t announced_size(std::uint8_t first) {
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return 2;
  if (first < 0xF0) return 3;
  return first < 0xF5 ? 4 : 0;
}

constexpr bool is_encodable(char32_t value, std::size_t size) {
  if (size == 3) return value >= 0x800 && (value < 0xD800 || value > 0xDFFF);
  if (size == 4) return value >= 0x10000 && value <= 0x10FFFF;
  return true;
}

// The number of leading ASCII bytes, looked at eight at a time.
std::size_t count_ascii(std::string_view text) {
  std::size_t count = 0;
  for (; count + 8 <= text.size(); count += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + count, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (count < text.size() && byte_at(text, count) < 0x80) ++count;
  return count;
}

constexpr bool is_white_space(char32_t c) {
  if (c <= 0x20) return c == 0x20 || (c >= 0x09 && c <= 0x0D);
  if (c >= 0x2000 && c <= 0x200A) return true;
  return c == 0x85 || c == 0xA0 || c == 0x1680 || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

}  // namespace

CodePoint decode_front(std::string_view text) {
  const std::uint8_t first = byte_at(text, 0);
  const std::size_t size = announced_size(first);
  if (size == 1) return {first, 1};
  if (size == 0 || size > text.size()) return {};
  char32_t value = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint8_t byte = byte_at(text, i);
    if (!is_continuation(byte)) return {};
    value = value << 6 | (byte & 0x3FU);
  }
  return is_encodable(value, size) ? CodePoint{value, size} : CodePoint{};
}

std::size_t find_invalid_utf8(std::string_view text) {
  std::size_t position = 0;
  while (true) {
    position += count_ascii(text.substr(position));
    if (position == text.size()) return std::string_view::npos;
    const std::size_t size = decode_front(text.substr(position)).size;
    if (size == 0) return position;
    position += size;
  }
}

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !is_continuation(static_cast<std::uint8_t>(c)); }));
}

bool has_control_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t byte = byte_at(text, i);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && i + 1 < text.size() && byte_at(text, i + 1) < 0xA0) return true;
  }
  return false;
}

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> digits{};
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

bool has_outer_white_space(std::string_view text) {
  if (text.empty()) return false;
  if (is_white_space(decode_front(text).value)) return true;
  std::size_t last = text.size() - 1;
  while (last > 0 && is_continuation(byte_at(text, last))) --last;
  return is_white_space(decode_front(text.substr(last)).value);
}

}  // namespace call_service
