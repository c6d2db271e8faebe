#include "fake_livekit/reading.hpp"

#include <charconv>

namespace call_service::fake_livekit {
namespace {

using wire::JsonKind;

std::string to_snake(std::string_view camel) {
  std::string snake;
  for (const char character : camel) {
    const bool upper = character >= 'A' && character <= 'Z';
    if (upper) snake += '_';
    snake += upper ? static_cast<char>(character - 'A' + 'a') : character;
  }
  return snake;
}

std::optional<std::int64_t> to_integer(wire::JsonView value) {
  if (value.kind() == JsonKind::number) return value.integer();
  if (value.kind() != JsonKind::string) return std::nullopt;
  const std::string_view text = value.text();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

}  // namespace

Reader::Reader(wire::JsonView message, bool& fits) : message_(message), fits_(fits) {
  if (message_.kind() != JsonKind::object) fits_ = false;
}

std::optional<wire::JsonView> Reader::find(std::string_view name) const {
  if (message_.kind() != JsonKind::object) return std::nullopt;
  auto value = message_.find(name);
  if (!value) value = message_.find(to_snake(name));
  return value && !value->is_null() ? value : std::nullopt;
}

std::optional<wire::JsonView> Reader::find(std::string_view name, JsonKind kind) const {
  const auto value = find(name);
  if (value && value->kind() != kind) fits_ = false;
  return value && value->kind() == kind ? value : std::nullopt;
}

std::string Reader::text(std::string_view name) const {
  const auto value = find(name, JsonKind::string);
  return value ? std::string(value->text()) : "";
}

bool Reader::flag(std::string_view name, bool absent) const {
  const auto value = find(name, JsonKind::boolean);
  return value ? value->boolean() : absent;
}

std::int64_t Reader::count(std::string_view name) const {
  const auto value = find(name);
  if (!value) return 0;
  const auto number = to_integer(*value);
  if (!number || *number < 0 || *number > UINT32_MAX) fits_ = false;
  return fits_ ? *number : 0;
}

std::vector<std::string> Reader::list(std::string_view name) const {
  std::vector<std::string> texts;
  const auto value = find(name, JsonKind::array);
  if (!value) return texts;
  value->for_each_element([&](wire::JsonView element) {
    if (element.kind() == JsonKind::string) {
      texts.emplace_back(element.text());
    } else {
      fits_ = false;
    }
  });
  return texts;
}

std::map<std::string, std::string> Reader::texts(std::string_view name) const {
  std::map<std::string, std::string> texts;
  const auto value = find(name, JsonKind::object);
  if (!value) return texts;
  value->for_each_member([&](std::string_view key, wire::JsonView member) {
    if (member.kind() == JsonKind::string) {
      texts.emplace(key, member.text());
    } else {
      fits_ = false;
    }
  });
  return texts;
}

std::optional<Reader> Reader::object(std::string_view name) const {
  const auto value = find(name, JsonKind::object);
  return value ? std::optional(Reader(*value, fits_)) : std::nullopt;
}

RoomSettings read_room_settings(const Reader& message) {
  RoomSettings settings;
  if (const auto seconds = message.count("emptyTimeout"); seconds != 0) settings.empty_timeout = seconds;
  if (const auto seconds = message.count("departureTimeout"); seconds != 0) settings.departure_timeout = seconds;
  settings.max_participants = message.count("maxParticipants");
  settings.metadata = message.text("metadata");
  return settings;
}

}  // namespace call_service::fake_livekit
