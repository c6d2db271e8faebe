#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "livekit/enums.hpp"
#include "wire/json.hpp"

// Reading LiveKit's messages in protojson: webhooks are camelCase without defaults, API answers snake_case with them;
// an int64 is a text or a number, an enum a name or a number. An absent member, or null, has its type's default.
namespace call_service::livekit::protojson {

// 9999-12-31T23:59:59Z
inline constexpr std::int64_t max_seconds = 253'402'300'799;

// A member's name in both spellings.
struct Name {
  std::string_view camel;
  std::string_view snake;
};

// nullopt if absent or null. A message is an object.
std::optional<wire::JsonView> find(wire::JsonView message, Name name);

// What is wrong, for the log.
template <typename T>
using Read = std::expected<T, std::string>;

// A text of at most 256 bytes without control characters; "" if absent.
Read<std::string> read_id(wire::JsonView message, Name name);

// An enum's name, also where its number was sent; a number without a name as text; that of the first value if absent.
Read<std::string> read_enum(wire::JsonView message, Name name, std::span<const EnumValue> values);

// A whole number from 0 to `max`; 0 if absent.
Read<std::int64_t> read_count(wire::JsonView message, Name name, std::int64_t max);

// Up to the year 9999. nullopt if both are absent or 0; `milliseconds` is preferred.
Read<std::optional<Timestamp>> read_time(wire::JsonView message, Name milliseconds, Name seconds);

// A sub-message; nullopt if absent.
Read<std::optional<wire::JsonView>> read_object(wire::JsonView message, Name name);

// attributes.session_id; nullopt if absent or not fit to be an id.
Read<std::optional<std::string>> read_session_id(wire::JsonView participant);

}  // namespace call_service::livekit::protojson
