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
  const std::size_t begin = out.size();
  out.resize(begin + (bytes.size() * 4 + 2) / 3);
  char* to = out.data() + begin;
  const auto put = [&](std::uint32_t group, std::size_t characters) {
    for (std::size_t i = 0; i < characters; ++i) *to++ = alphabet[group >> (18 - 6 * i) & 63];
  };
  const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto* const end = from + bytes.size();
  for (; end - from >= 3; from += 3) {
    put(std::uint32_t{from[0]} << 16 | std::uint32_t{from[1]} << 8 | from[2], 4);
  }
  if (end - from == 1) put(std::uint32_t{from[0]} << 16, 2);
  if (end - from == 2) put(std::uint32_t{from[0]} << 16 | std::uint32_t{from[1]} << 8, 3);
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
  std::string out(text.size() * 3 / 4, '\0');
  char* to = out.data();
  std::uint32_t buffer = 0;
  std::uint32_t seen = 0;  // no_digit has bits that no digit has
  int bits = 0;
  for (const char character : text) {
    const std::uint8_t digit = url_digits[static_cast<std::uint8_t>(character)];
    seen |= digit;
    buffer = buffer << 6 | digit;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      *to++ = static_cast<char>(buffer >> bits & 0xff);
    }
  }
  if (seen > 63 || (buffer & ((1U << bits) - 1)) != 0) {
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
