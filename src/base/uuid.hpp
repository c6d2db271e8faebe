#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace call_service {

// A UUID (RFC 9562). Ordered by its bytes, so version 7 ids are ordered by the time they were made.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  // Accepts the 36-character form in any case, nothing else.
  static std::optional<Uuid> parse(std::string_view text);

  // Lower case, 36 characters.
  std::string to_string() const;
  void append_to(std::string& out) const;

  auto operator<=>(const Uuid&) const = default;
};

// Makes a version 7 UUID (RFC 9562, 5.7): 48 bits of Unix milliseconds, then 74 bits from the system's CSPRNG.
// Safe on any thread. Throws std::system_error if the system has no randomness to give.
Uuid make_uuid_v7(Timestamp now);

}  // namespace call_service

template <>
struct std::hash<call_service::Uuid> {
  std::size_t operator()(const call_service::Uuid& id) const noexcept;
};
