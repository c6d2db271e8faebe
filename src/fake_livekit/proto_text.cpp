#include "fake_livekit/proto_text.hpp"

#include "wire/write.hpp"

namespace call_service::fake_livekit {
namespace {

constexpr char to_upper(char character) {
  return character >= 'a' && character <= 'z' ? static_cast<char>(character - 'a' + 'A') : character;
}

std::string to_camel(std::string_view snake) {
  std::string camel;
  bool raise = false;
  for (const char character : snake) {
    if (character != '_') camel += raise ? to_upper(character) : character;
    raise = character == '_';
  }
  return camel;
}

std::string quote(std::string_view value) {
  std::string literal;
  wire::append_plain_string(literal, value);
  return literal;
}

}  // namespace

ProtoText& ProtoText::text(std::string_view name, std::string_view value) {
  return json(name, quote(value), value.empty());
}

ProtoText& ProtoText::number(std::string_view name, std::int64_t value) {
  return json(name, std::to_string(value), value == 0);
}

ProtoText& ProtoText::big_number(std::string_view name, std::int64_t value) {
  return json(name, quote(std::to_string(value)), value == 0);
}

ProtoText& ProtoText::flag(std::string_view name, bool value) {
  return json(name, value ? "true" : "false", !value);
}

ProtoText& ProtoText::choice(std::string_view name, std::string_view value, std::string_view first) {
  return json(name, quote(value), value == first);
}

ProtoText& ProtoText::json(std::string_view name, std::string_view value, bool is_default) {
  if (style_ == Style::webhook && is_default) return *this;
  if (!members_.empty()) members_ += ", ";
  members_ += quote(style_ == Style::webhook ? to_camel(name) : name);
  members_.append(":").append(value);
  return *this;
}

}  // namespace call_service::fake_livekit
