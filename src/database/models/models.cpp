#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <stdexcept>
#include <utility>

#include "database/models/call.hpp"
#include "database/models/intent.hpp"
#include "database/models/session.hpp"
#include "wire/write.hpp"

namespace call_service {

namespace {

// Names of an enumeration whose values count from 0.
template <typename Enum, std::size_t N>
void parse_name(const std::array<std::string_view, N>& names, std::string_view name, Enum& value) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] != name) continue;
    value = static_cast<Enum>(i);
    return;
  }
  throw std::runtime_error("unknown name in the database: " + std::string(name));
}

constexpr std::array<std::string_view, 2> call_status{"active", "ended"};
constexpr std::array<std::string_view, 3> session_status{"pending", "active", "ended"};
constexpr std::array<std::string_view, 7> end_evidence{"api",  "timer",      "departure", "successor",
                                                       "room", "generation", "reconciler"};
constexpr std::array<std::string_view, 2> intent_kind{"delete_room", "remove_participant"};

constexpr std::string_view room_prefix = "call_";

}  // namespace

namespace models {

std::string_view name_of(CallStatus status) {
  return call_status.at(std::to_underlying(status));
}
std::string_view name_of(SessionStatus status) {
  return session_status.at(std::to_underlying(status));
}
std::string_view name_of(EndEvidence evidence) {
  return end_evidence.at(std::to_underlying(evidence));
}
std::string_view name_of(IntentKind kind) {
  return intent_kind.at(std::to_underlying(kind));
}

void parse(std::string_view name, CallStatus& status) {
  parse_name(call_status, name, status);
}
void parse(std::string_view name, SessionStatus& status) {
  parse_name(session_status, name, status);
}
void parse(std::string_view name, EndEvidence& evidence) {
  parse_name(end_evidence, name, evidence);
}
void parse(std::string_view name, IntentKind& kind) {
  parse_name(intent_kind, name, kind);
}

std::string Call::room_name() const {
  return room_name_of(call_id);
}

std::string room_name_of(const Uuid& call_id) {
  std::string name;
  name.reserve(room_prefix.size() + 36);
  name += room_prefix;
  call_id.append_to(name);
  return name;
}

std::optional<Uuid> call_id_of_room(std::string_view room_name) {
  if (!room_name.starts_with(room_prefix)) return std::nullopt;
  const auto id = Uuid::parse(room_name.substr(room_prefix.size()));
  // LiveKit compares names byte by byte, so an upper-case spelling is another room.
  if (!id || room_name_of(*id) != room_name) return std::nullopt;
  return id;
}

}  // namespace models

namespace db {

std::string write_text_list(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const auto& text : texts) {
    if (json.size() > 1) json += ',';
    wire::append_string(json, text);
  }
  return json += ']';
}

std::vector<std::string> read_text_list(const std::string& json) {
  return boost::json::value_to<std::vector<std::string>>(boost::json::parse(json));
}

}  // namespace db
}  // namespace call_service
