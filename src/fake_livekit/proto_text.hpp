#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace call_service::fake_livekit {

// How LiveKit spells a message: answers have snake_case names and all defaults, webhooks camelCase names and none.
enum class Style { answer, webhook };

// A message in protojson, put together member by member in the order of its fields. Names are given in snake_case. A
// space follows each comma, as LiveKit's builds may have it: whoever hashes re-written text finds out.
class ProtoText {
 public:
  explicit ProtoText(Style style) : style_(style) {}

  ProtoText& text(std::string_view name, std::string_view value);
  ProtoText& number(std::string_view name, std::int64_t value);      // of 32 bits: a number
  ProtoText& big_number(std::string_view name, std::int64_t value);  // of 64 bits: a text
  ProtoText& flag(std::string_view name, bool value);
  // An enum's name; `first` is the one that its default has.
  ProtoText& choice(std::string_view name, std::string_view value, std::string_view first);
  // JSON text of a list, a map or a message.
  ProtoText& json(std::string_view name, std::string_view value, bool is_default);

  std::string str() const { return "{" + members_ + "}"; }

 private:
  Style style_;
  std::string members_;
};

}  // namespace call_service::fake_livekit
