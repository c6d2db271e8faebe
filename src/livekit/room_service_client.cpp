#include "livekit/room_service_client.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "livekit/protojson.hpp"
#include "wire/write.hpp"

namespace call_service::livekit {
namespace {

using Kind = ApiError::Kind;
using protojson::Read;

constexpr int ok = 200;
constexpr int not_found = 404;
// A room is listed in about a kilobyte, and a participant with a few tracks in several.
constexpr std::size_t most_answered = std::size_t{64} * 1024 * 1024;

std::unexpected<ApiError> refuse(std::string what) {
  return std::unexpected(ApiError{Kind::refused, std::move(what)});
}

std::unexpected<ApiError> refuse_unexpected(std::string_view why) {
  return refuse("unexpected answer: " + std::string(why));
}

Read<wire::JsonDocument> parse_answer(std::string_view body) {
  auto document = wire::JsonDocument::parse(body);
  if (!document || document->root().kind() != wire::JsonKind::object) {
    return std::unexpected("not a JSON object");
  }
  return std::move(*document);
}

// The `code` of a Twirp error; "" if it is none. Only this is ever shown: LiveKit's texts may repeat the token.
std::string twirp_code(std::string_view body) {
  const auto answer = parse_answer(body);
  const auto code = answer ? answer->root().find("code") : std::nullopt;
  if (!code || code->kind() != wire::JsonKind::string) {
    return "";
  }
  const std::string_view text = code->text();
  const auto is_code_character = [](char character) {
    return (character >= 'a' && character <= 'z') || character == '_';
  };
  return text.size() <= 32 && std::ranges::all_of(text, is_code_character) ? std::string(text) : "";
}

// 408 is Twirp's status for `deadline_exceeded` and `canceled`.
bool is_outage(int status) {
  return status == 408 || status == 502 || status == 503 || status == 504;
}

std::string describe(const std::string& method, int status, const std::string& code) {
  std::string text = method + ": HTTP " + std::to_string(status);
  return code.empty() ? text : text + " " + code;
}

// What LiveKit's answer, or that there is none, means for any method.
std::expected<http::ClientResponse, ApiError> judge(const std::string& method,
                                                    std::expected<http::ClientResponse, http::ClientError> response) {
  if (!response) {
    return std::unexpected(ApiError{Kind::unreachable, method + ": " + response.error().what});
  }
  if (response->status == ok) {
    return std::move(*response);
  }
  std::string code = twirp_code(response->body);
  if (response->status == not_found && code == "not_found") {
    return std::move(*response);
  }
  const Kind kind = is_outage(response->status) ? Kind::unreachable : Kind::refused;
  std::string what = describe(method, response->status, code);
  return std::unexpected(ApiError{kind, std::move(what), std::move(code)});
}

Read<RoomInfo> read_room(wire::JsonView message) {
  auto sid = protojson::read_id(message, {"sid", "sid"});
  auto name = protojson::read_id(message, {"name", "name"});
  auto created_at =
      protojson::read_time(message, {"creationTimeMs", "creation_time_ms"}, {"creationTime", "creation_time"});
  if (!sid || !name || !created_at || sid->empty() || !protojson::find(message, {"name", "name"})) {
    return std::unexpected("a room without sid, name or a proper time");
  }
  return RoomInfo{std::move(*sid), std::move(*name), *created_at};
}

Read<ParticipantInfo> read_participant(wire::JsonView message) {
  auto sid = protojson::read_id(message, {"sid", "sid"});
  auto identity = protojson::read_id(message, {"identity", "identity"});
  if (!sid || !identity || sid->empty() || identity->empty()) {
    return std::unexpected("a participant without sid or identity");
  }
  auto state = protojson::read_enum(message, {"state", "state"}, participant_states);
  auto kind = protojson::read_enum(message, {"kind", "kind"}, participant_kinds);
  auto joined_at = protojson::read_time(message, {"joinedAtMs", "joined_at_ms"}, {"joinedAt", "joined_at"});
  auto session_id = protojson::read_session_id(message);
  if (!state || !kind || !joined_at || !session_id) {
    return std::unexpected("a participant with a member of a wrong type");
  }
  return ParticipantInfo{std::move(*sid),  std::move(*identity), std::move(*state),
                         std::move(*kind), *joined_at,           std::move(*session_id)};
}

// The list under `name`. An answer without it is no empty list: LiveKit writes empty lists.
template <typename T>
std::expected<std::vector<T>, ApiError> read_list(std::string_view body, std::string_view name,
                                                  Read<T> (*read)(wire::JsonView)) {
  const auto answer = parse_answer(body);
  const auto list = answer ? answer->root().find(name) : std::nullopt;
  if (!list || list->kind() != wire::JsonKind::array) {
    return refuse_unexpected("no list of " + std::string(name));
  }
  std::expected<std::vector<T>, ApiError> items;
  list->for_each_element([&](wire::JsonView element) {
    if (!items) {
      return;
    }
    auto item = element.kind() == wire::JsonKind::object ? read(element) : Read<T>(std::unexpected("no object"));
    if (item) {
      items->push_back(std::move(*item));
    } else {
      items = refuse_unexpected(item.error());
    }
  });
  return items;
}

std::expected<std::vector<RoomInfo>, ApiError> read_rooms(
    const std::expected<http::ClientResponse, ApiError>& response) {
  if (!response) {
    return std::unexpected(response.error());
  }
  if (response->status == not_found) {
    return refuse_unexpected("ListRooms: not_found");
  }
  return read_list<RoomInfo>(response->body, "rooms", read_room);
}

std::expected<Removal, ApiError> read_removal(const std::expected<http::ClientResponse, ApiError>& response) {
  if (!response) {
    return std::unexpected(response.error());
  }
  if (response->status == not_found) {
    return Removal::not_found;
  }
  if (const auto answer = parse_answer(response->body); !answer) {
    return refuse_unexpected(answer.error());
  }
  return Removal::removed;
}

std::string room_request(const std::string& room) {
  std::string json = R"({"room":)";
  wire::append_string(json, room);
  return json + "}";
}

std::string creation_request(const RoomSettings& settings) {
  std::string json = R"({"name":)";
  wire::append_string(json, settings.name);
  json += R"(,"emptyTimeout":)" + std::to_string(settings.empty_timeout.count());
  json += R"(,"departureTimeout":)" + std::to_string(settings.departure_timeout.count());
  if (settings.max_participants) json += R"(,"maxParticipants":)" + std::to_string(*settings.max_participants);
  return json + "}";
}

std::string participant_request(const std::string& room, const std::string& identity) {
  std::string json = R"({"room":)";
  wire::append_string(json, room);
  json += R"(,"identity":)";
  wire::append_string(json, identity);
  return json + "}";
}

std::string names_request(const std::vector<std::string>& names) {
  std::string json = R"({"names":[)";
  for (const std::string& name : names) {
    json += json.ends_with('[') ? "" : ",";
    wire::append_string(json, name);
  }
  return json + "]}";
}

}  // namespace

RoomServiceClient::RoomServiceClient(Executor executor, http::Origin origin, ApiKey key, const Clock& clock,
                                     std::chrono::milliseconds timeout)
    : client_(std::move(executor), std::move(origin)), key_(std::move(key)), clock_(clock), timeout_(timeout) {}

http::ClientRequest RoomServiceClient::request_for(const std::string& method, const std::string& room,
                                                   std::string body) const {
  http::ClientRequest request;
  request.path = "/twirp/livekit.RoomService/" + method;
  request.headers = {{"Authorization", "Bearer " + make_service_token(key_, room, clock_.now())},
                     {"Content-Type", "application/json"}};
  request.body = std::move(body);
  request.most_answered = most_answered;
  return request;
}

Task<RoomServiceClient::Answer> RoomServiceClient::call(std::string method, std::string room, std::string body,
                                                        bool resend) {
  auto request = request_for(method, room, std::move(body));
  request.resend = resend;
  const auto place = waiting_.insert(std::chrono::steady_clock::now());
  auto response = co_await client_.send(std::move(request), timeout_);
  waiting_.erase(place);
  co_return judge(method, std::move(response));
}

std::optional<std::chrono::steady_clock::time_point> RoomServiceClient::waiting_since(
    std::chrono::milliseconds length) const {
  const auto after = waiting_.upper_bound(std::chrono::steady_clock::now() - length);
  if (after == waiting_.begin()) return std::nullopt;
  return *std::prev(after);
}

Task<std::expected<void, ApiError>> RoomServiceClient::create_room(const RoomSettings& settings) {
  const auto response = co_await call("CreateRoom", settings.name, creation_request(settings));
  if (!response) co_return std::unexpected(response.error());
  const auto answer = parse_answer(response->body);
  const auto room = answer ? read_room(answer->root()) : std::unexpected(answer.error());
  if (!room) co_return refuse_unexpected(room.error());
  if (room->name != settings.name) co_return refuse_unexpected("another room");
  co_return std::expected<void, ApiError>();
}

Task<std::expected<Removal, ApiError>> RoomServiceClient::delete_room(const std::string& room) {
  const auto response = co_await call("DeleteRoom", room, room_request(room));
  co_return read_removal(response);
}

Task<std::expected<Removal, ApiError>> RoomServiceClient::remove_participant(const std::string& room,
                                                                             const std::string& identity) {
  // LiveKit removes by identity: by the time it is sent again, another connection may have it.
  const auto response = co_await call("RemoveParticipant", room, participant_request(room, identity), false);
  co_return read_removal(response);
}

Task<std::expected<std::optional<ParticipantInfo>, ApiError>> RoomServiceClient::get_participant(
    const std::string& room, const std::string& identity) {
  const auto response = co_await call("GetParticipant", room, participant_request(room, identity));
  if (!response) {
    co_return std::unexpected(response.error());
  }
  if (response->status == not_found) {
    co_return std::nullopt;
  }
  const auto answer = parse_answer(response->body);
  auto participant = answer ? read_participant(answer->root()) : std::unexpected(answer.error());
  if (!participant) {
    co_return refuse_unexpected(participant.error());
  }
  if (participant->identity != identity) {
    co_return refuse_unexpected("another participant");
  }
  co_return std::move(*participant);
}

Task<std::expected<std::vector<RoomInfo>, ApiError>> RoomServiceClient::list_rooms(
    const std::vector<std::string>& names) {
  const auto response = co_await call("ListRooms", "", names_request(names));
  co_return read_rooms(response);
}

Task<std::expected<std::vector<ParticipantInfo>, ApiError>> RoomServiceClient::list_participants(
    const std::string& room) {
  const auto response = co_await call("ListParticipants", room, room_request(room));
  if (!response) {
    co_return std::unexpected(response.error());
  }
  if (response->status == not_found) {
    co_return std::vector<ParticipantInfo>();
  }
  co_return read_list<ParticipantInfo>(response->body, "participants", read_participant);
}

Task<std::expected<void, ApiError>> RoomServiceClient::probe(std::chrono::milliseconds timeout) {
  // No call has the nil UUID.
  const std::vector<std::string> names{"call_00000000-0000-0000-0000-000000000000"};
  auto request = request_for("ListRooms", "", names_request(names));
  request.new_connection = true;
  auto response = co_await client_.send(std::move(request), timeout);
  const auto rooms = read_rooms(judge("ListRooms", std::move(response)));
  if (!rooms) {
    co_return std::unexpected(rooms.error());
  }
  co_return std::expected<void, ApiError>();
}

void RoomServiceClient::close() {
  client_.close();
}

}  // namespace call_service::livekit
