#include "fake_livekit/room_service.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "fake_livekit/reading.hpp"
#include "wire/object_text.hpp"

namespace call_service::fake_livekit {
namespace {

constexpr std::string_view bearer = "Bearer ";
constexpr std::array unsupported{"MutePublishedTrack", "UpdateParticipant", "UpdateSubscriptions", "SendData",
                                 "UpdateRoomMetadata", "PerformRpc",        "ForwardParticipant",  "MoveParticipant"};

http::Response plain(int status, std::string text) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

http::Response json(std::string body) {
  return {.body = std::move(body)};
}

http::Response permissions_denied() {
  return twirp_error(401, "unauthenticated", "permissions denied");
}

http::Response not_found(std::string_view what) {
  return twirp_error(404, "not_found", "twirp error unknown: " + std::string(what) + " does not exist");
}

std::string route_of(const http::Request& request) {
  return std::string(http::name_of(request.method)) + " " + request.path;
}

http::Response bad_route(const http::Request& request, std::string_view message) {
  return twirp_error(404, "bad_route", message, route_of(request));
}

template <typename Item>
std::string list_json(std::string_view name, const std::vector<Item>& items, std::string (*write)(const Item&, Style)) {
  std::string list;
  for (const Item& item : items) {
    if (!list.empty()) list += ", ";
    list += write(item, Style::answer);
  }
  return ProtoText(Style::answer).json(name, "[" + list + "]", false).str();
}

// What a method needs: its request, what the caller may do, and the rooms.
struct Call {
  World& world;
  const Claims& claims;
  Reader message;
  const bool& fits;

  bool administers(const std::string& room) const { return claims.room_admin && claims.room == room; }
};

http::Response malformed() {
  return twirp_error(400, "malformed", "the json request could not be decoded");
}

http::Response create_room(const Call& call) {
  const std::string name = call.message.text("name");
  const RoomSettings settings = read_room_settings(call.message);
  if (!call.fits) return malformed();
  if (!call.claims.room_create) return permissions_denied();
  if (name.size() > max_name_length)
    return twirp_error(400, "invalid_argument", "twirp error unknown: room name length exceeds limits: max length 256");
  return json(room_json(call.world.create_room(name, settings), Style::answer));
}

http::Response list_rooms(const Call& call) {
  const auto names = call.message.list("names");
  if (!call.fits) return malformed();
  if (!call.claims.room_list) return permissions_denied();
  return json(list_json("rooms", call.world.rooms(names), room_json));
}

http::Response delete_room(const Call& call) {
  const std::string room = call.message.text("room");
  if (!call.fits) return malformed();
  if (!call.claims.room_create) return permissions_denied();
  return call.world.delete_room(room) ? json("{}") : not_found("requested room");
}

http::Response list_participants(const Call& call) {
  const std::string room = call.message.text("room");
  if (!call.fits) return malformed();
  if (!call.administers(room)) return permissions_denied();
  return json(list_json("participants", call.world.participants(room), participant_json));
}

http::Response get_participant(const Call& call) {
  const std::string room = call.message.text("room");
  const std::string identity = call.message.text("identity");
  if (!call.fits) return malformed();
  if (!call.administers(room)) return permissions_denied();
  const auto participant = call.world.participant(room, identity);
  return participant ? json(participant_json(*participant, Style::answer)) : not_found("participant");
}

http::Response remove_participant(const Call& call) {
  const std::string room = call.message.text("room");
  const std::string identity = call.message.text("identity");
  if (!call.fits) return malformed();
  if (!call.administers(room)) return permissions_denied();
  return call.world.remove_participant(room, identity) ? json("{}") : not_found("participant");
}

struct Method {
  std::string_view name;
  http::Response (*carry_out)(const Call&);
};
constexpr std::array methods{
    Method{"CreateRoom", create_room},         Method{"ListRooms", list_rooms},
    Method{"DeleteRoom", delete_room},         Method{"ListParticipants", list_participants},
    Method{"GetParticipant", get_participant}, Method{"RemoveParticipant", remove_participant},
};

bool is_json(const http::Request& request) {
  const std::string* type = request.header("Content-Type");
  return type != nullptr && type->substr(0, type->find(';')) == "application/json";
}

std::string method_in(const http::Request& request) {
  return request.path.starts_with(room_service_path) ? request.path.substr(room_service_path.size()) : "";
}

}  // namespace

http::Response twirp_error(int status, std::string_view code, std::string_view message, std::string_view meta) {
  wire::ObjectText error;
  error.text("code", code).text("msg", message);
  if (!meta.empty()) error.json("meta", wire::ObjectText().text("twirp_invalid_route", meta).str());
  return {.status = status, .body = error.str()};
}

RoomRequest RoomService::describe(const http::Request& request) {
  RoomRequest described{.method = method_in(request)};
  const auto document = wire::JsonDocument::parse(request.body);
  if (!document) return described;
  bool fits = true;
  const Reader message(document->root(), fits);
  described.room = message.text(described.method == "CreateRoom" ? "name" : "room");
  return described;
}

http::Response RoomService::answer(const http::Request& request) const {
  Claims claims;  // without a token: nothing is allowed
  if (const std::string* authorization = request.header("Authorization")) {
    if (!authorization->starts_with(bearer)) return plain(401, "invalid authorization header. Must start with Bearer ");
    auto verified = verify_token(authorization->substr(bearer.size()), key_, clock_.now());
    if (!verified) return plain(verified.error().status, verified.error().text);
    claims = std::move(*verified);
  }
  const std::string method = method_in(request);
  if (request.method != http::Method::post)
    return bad_route(
        request, "unsupported method \"" + std::string(http::name_of(request.method)) + "\" (only POST is allowed)");
  return carry_out(method, request, claims);
}

http::Response RoomService::carry_out(const std::string& method, const http::Request& request,
                                      const Claims& claims) const {
  if (std::ranges::find(unsupported, method) != unsupported.end())
    return twirp_error(501, "unimplemented", "this is a fake, which has no " + method);
  const auto known = std::ranges::find(methods, method, &Method::name);
  if (known == methods.end()) return bad_route(request, "no handler for path \"" + request.path + "\"");
  if (!is_json(request)) {
    const std::string* type = request.header("Content-Type");
    return bad_route(request, "unexpected Content-Type: \"" + (type != nullptr ? *type : "") + "\"");
  }
  const auto document = wire::JsonDocument::parse(request.body);
  if (!document) return malformed();
  bool fits = true;
  const Reader message(document->root(), fits);
  return known->carry_out(Call{world_, claims, message, fits});
}

http::Response RoomService::validate(const http::Request& request) const {
  const auto parameters = http::parse_query(request.query);
  std::string token;
  for (const auto& [name, value] : parameters.value_or(std::vector<http::Header>())) {
    if (name == "access_token") token = value;
  }
  if (const std::string* header = request.header("Authorization"); header != nullptr && header->starts_with(bearer))
    token = header->substr(bearer.size());
  if (token.empty()) return plain(401, "no permissions to access the room");
  const auto claims = verify_token(token, key_, clock_.now());
  if (!claims) return plain(claims.error().status, claims.error().text);
  const auto fault = world_.check_join(*claims);
  return fault ? plain(fault->status, fault->text) : plain(200, "success");
}

}  // namespace call_service::fake_livekit
