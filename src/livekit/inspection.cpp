#include "livekit/inspection.hpp"

#include <ctime>
#include <string_view>
#include <utility>

#include "wire/json.hpp"

namespace call_service::livekit {

namespace {

using Outcome = Inspection::Outcome;

bool is_list_of_rooms(std::string_view body) {
  const auto document = wire::JsonDocument::parse(body);
  if (!document || document->root().kind() != wire::JsonKind::object) return false;
  const auto rooms = document->root().find("rooms");
  return rooms && rooms->kind() == wire::JsonKind::array;
}

// LiveKit's words for why a token is no good (pkg/service/auth.go, server v1.13.5, and its JWT library's).
Outcome why_unauthorized(std::string_view body) {
  if (body.starts_with("invalid API key")) return Outcome::unknown_key;
  if (!body.starts_with("invalid token")) return Outcome::other_program;
  if (body.contains("signature")) return Outcome::wrong_secret;
  if (body.contains("expired") || body.contains("not valid yet")) return Outcome::wrong_clock;
  return Outcome::refused;
}

Outcome judge(const http::ClientResponse& response) {
  if (response.status == 200) return is_list_of_rooms(response.body) ? Outcome::works : Outcome::other_program;
  if (response.status == 401) return why_unauthorized(response.body);
  if (response.status >= 500) return Outcome::out_of_order;
  return Outcome::other_program;
}

}  // namespace

std::optional<Timestamp> parse_http_date(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return Timestamp(Seconds(::timegm(&parts)));
}

Task<Inspection> inspect(http::Client& client, const ApiKey& key, Timestamp now, Milliseconds timeout) {
  http::ClientRequest request;
  request.path = "/twirp/livekit.RoomService/ListRooms";
  request.headers = {{"Authorization", "Bearer " + make_service_token(key, "", now)},
                     {"Content-Type", "application/json"}};
  request.body = R"({"names":["call_00000000-0000-0000-0000-000000000000"]})";
  auto response = co_await client.send(std::move(request), timeout);
  if (!response) co_return Inspection{.outcome = Outcome::no_answer, .error = std::move(response.error())};
  co_return Inspection{
      .outcome = judge(*response), .status = response->status, .their_time = parse_http_date(response->date)};
}

}  // namespace call_service::livekit
