#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fake_livekit/messages.hpp"
#include "wire/json.hpp"

namespace call_service::fake_livekit {

// Reads a message of LiveKit's as LiveKit does: both spellings of a name, unknown members ignored, an absent one is its
// default. A member of a wrong type sets `fits` to false, and the message is to be refused. Names are given in
// camelCase.
class Reader {
 public:
  Reader(wire::JsonView message, bool& fits);

  std::string text(std::string_view name) const;
  bool flag(std::string_view name, bool absent) const;
  std::int64_t count(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;
  std::map<std::string, std::string> texts(std::string_view name) const;
  std::optional<Reader> object(std::string_view name) const;

 private:
  std::optional<wire::JsonView> find(std::string_view name, wire::JsonKind kind) const;
  std::optional<wire::JsonView> find(std::string_view name) const;

  wire::JsonView message_;
  bool& fits_;
};

// What is 0 or absent has LiveKit's default.
RoomSettings read_room_settings(const Reader& message);

}  // namespace call_service::fake_livekit
