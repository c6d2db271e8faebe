#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What the contract asks of a text. Everything here takes any bytes; what is not UTF-8 never reads out of bounds.
namespace call_service {

// One decoded code point; size 0: no valid UTF-8 starts there (overlong forms and surrogates are not valid).
struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;
};

// Decodes the code point at the front of a text that is not empty.
CodePoint decode_front(std::string_view text);

// The offset of the first byte that is not UTF-8; npos if there is none.
std::size_t find_invalid_utf8(std::string_view text);

inline bool is_utf8(std::string_view text) {
  return find_invalid_utf8(text) == std::string_view::npos;
}

// The length of a valid UTF-8 text in characters.
std::size_t count_code_points(std::string_view text);

// C0, DEL or C1: U+0000 to U+001F, U+007F to U+009F.
constexpr bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}
bool has_control_characters(std::string_view text);

// In decimal digits.
void append_number(std::string& out, std::int64_t number);

// Unicode's White_Space, at the first or the last character of a valid UTF-8 text.
bool has_outer_white_space(std::string_view text);

}  // namespace call_service
