#include "jose/base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace call_service::jose {
namespace {

constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;

constexpr std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(no_digit);
  for (std::size_t i = 0; i < url_alphabet.size(); ++i) {
    digits[static_cast<std::uint8_t>(url_alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}

constexpr std::array<std::uint8_t, 256> url_digits = make_digits();

void append_encoded(std::string& out, std::string_view bytes, std::string_view alphabet) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char byte : bytes) {
    buffer = buffer << 8 | static_cast<std::uint8_t>(byte);
    for (bits += 8; bits >= 6; bits -= 6) {
      out += alphabet[buffer >> (bits - 6) & 63];
    }
  }
  if (bits > 0) {
    out += alphabet[buffer << (6 - bits) & 63];
  }
}

}  // namespace

void append_base64url(std::string& out, std::string_view bytes) {
  append_encoded(out, bytes, url_alphabet);
}

std::string encode_base64url(std::string_view bytes) {
  std::string out;
  append_base64url(out, bytes);
  return out;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  if (text.size() % 4 == 1) {
    return std::nullopt;
  }
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char character : text) {
    const std::uint8_t digit = url_digits[static_cast<std::uint8_t>(character)];
    if (digit == no_digit) {
      return std::nullopt;
    }
    buffer = buffer << 6 | digit;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(buffer >> bits & 0xff);
    }
  }
  if ((buffer & ((1U << bits) - 1)) != 0) {
    return std::nullopt;
  }
  return out;
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  append_encoded(out, bytes, standard_alphabet);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

}  // namespace call_service::jose
