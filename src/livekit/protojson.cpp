#include "livekit/protojson.hpp"

#include <algorithm>
#include <charconv>

namespace call_service::livekit::protojson {
namespace {

constexpr std::size_t max_id_size = 256;
constexpr std::int64_t max_milliseconds = max_seconds * 1000 + 999;

std::unexpected<std::string> fault(Name name, std::string_view what) {
  return std::unexpected(std::string(name.camel) + " " + std::string(what));
}

bool is_fit_for_id(std::string_view text) {
  return text.size() <= max_id_size && std::ranges::none_of(text, [](char character) {
           const auto byte = static_cast<unsigned char>(character);
           return byte < 0x20 || byte == 0x7f;
         });
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> to_integer(wire::JsonView value) {
  switch (value.kind()) {
    case wire::JsonKind::string:
      return parse_integer(value.text());
    case wire::JsonKind::number:
      return value.integer();
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<wire::JsonView> find(wire::JsonView message, Name name) {
  for (const std::string_view spelling : {name.camel, name.snake}) {
    if (const auto value = message.find(spelling); value && !value->is_null()) {
      return value;
    }
  }
  return std::nullopt;
}

Read<std::string> read_id(wire::JsonView message, Name name) {
  const auto value = find(message, name);
  if (!value) {
    return std::string();
  }
  if (value->kind() != wire::JsonKind::string) {
    return fault(name, "is not a text");
  }
  if (!is_fit_for_id(value->text())) {
    return fault(name, "is too long or has control characters");
  }
  return std::string(value->text());
}

Read<std::string> read_enum(wire::JsonView message, Name name, std::span<const EnumValue> values) {
  const auto value = find(message, name);
  if (!value) {
    return std::string(values.front().second);
  }
  if (const auto number = value->kind() == wire::JsonKind::number ? value->integer() : std::nullopt) {
    const auto known = std::ranges::find(values, *number, &EnumValue::first);
    return known == values.end() ? std::to_string(*number) : std::string(known->second);
  }
  auto text = read_id(message, name);
  return text && text->empty() ? std::string(values.front().second) : text;
}

Read<std::int64_t> read_count(wire::JsonView message, Name name, std::int64_t max) {
  const auto value = find(message, name);
  if (!value) {
    return 0;
  }
  const auto number = to_integer(*value);
  if (!number || *number < 0 || *number > max) {
    return fault(name, "is not a number in its range");
  }
  return *number;
}

Read<std::optional<Timestamp>> read_time(wire::JsonView message, Name milliseconds, Name seconds) {
  const auto precise = read_count(message, milliseconds, max_milliseconds);
  const auto coarse = read_count(message, seconds, max_seconds);
  if (!precise || !coarse) {
    return std::unexpected(precise ? coarse.error() : precise.error());
  }
  if (*precise != 0) {
    return Timestamp(Milliseconds(*precise));
  }
  return *coarse != 0 ? std::optional(Timestamp(Seconds(*coarse))) : std::nullopt;
}

Read<std::optional<wire::JsonView>> read_object(wire::JsonView message, Name name) {
  const auto value = find(message, name);
  if (value && value->kind() != wire::JsonKind::object) {
    return fault(name, "is not an object");
  }
  return value;
}

Read<std::optional<std::string>> read_session_id(wire::JsonView participant) {
  const auto attributes = read_object(participant, {"attributes", "attributes"});
  if (!attributes) {
    return std::unexpected(attributes.error());
  }
  const std::optional<wire::JsonView>& members = *attributes;
  const auto value = members ? members->find("session_id") : std::nullopt;
  if (!value) {
    return std::nullopt;
  }
  if (value->kind() != wire::JsonKind::string) {
    return fault({"attributes.session_id", ""}, "is not a text");
  }
  return !value->text().empty() && is_fit_for_id(value->text()) ? std::optional(std::string(value->text()))
                                                                : std::nullopt;
}

}  // namespace call_service::livekit::protojson
