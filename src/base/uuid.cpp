#include "base/uuid.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>

namespace call_service {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

constexpr bool is_dash_position(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void fill_random(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno != EINTR) throw std::system_error(errno, std::system_category(), "getrandom");
    if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
  }
}

// Random bytes bought from the system in bulk: one system call for about 25 ids.
class RandomPool {
 public:
  void take(std::span<std::uint8_t> out) {
    if (bytes_.size() - used_ < out.size()) {
      fill_random(bytes_);
      used_ = 0;
    }
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(used_), out.size(), out.begin());
    used_ += out.size();
  }

 private:
  std::array<std::uint8_t, 256> bytes_{};
  std::size_t used_ = bytes_.size();
};

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash_position(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    std::uint8_t& byte = id.bytes[digits++ / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
  }
  return id;
}

void Uuid::append_to(std::string& out) const {
  std::array<char, 36> text{};
  std::size_t position = 0;
  for (std::uint8_t byte : bytes) {
    if (is_dash_position(position)) text[position++] = '-';
    text[position++] = hex_digits[byte >> 4];
    text[position++] = hex_digits[byte & 0xF];
  }
  out.append(text.data(), text.size());
}

std::string Uuid::to_string() const {
  std::string text;
  text.reserve(36);
  append_to(text);
  return text;
}

Uuid make_uuid_v7(Timestamp now) {
  thread_local RandomPool random;
  Uuid id;
  const auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * i));
  random.take(std::span(id.bytes).subspan(6));
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (id.bytes[6] & 0x0F));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3F));
  return id;
}

}  // namespace call_service

std::size_t std::hash<call_service::Uuid>::operator()(const call_service::Uuid& id) const noexcept {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, id.bytes.data(), 8);
  std::memcpy(&low, id.bytes.data() + 8, 8);
  return static_cast<std::size_t>((high ^ (low * 0x9E3779B97F4A7C15U)) * 0xBF58476D1CE4E5B9U);
}
