#include "fake_livekit/control.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/uuid.hpp"
#include "error.hpp"
#include "fake_livekit/application.hpp"
#include "fake_livekit/control_bodies.hpp"
#include "fake_livekit/control_text.hpp"
#include "fake_livekit/reading.hpp"
#include "wire/object_text.hpp"
#include "wire/read.hpp"

namespace call_service::fake_livekit {
namespace {

using http::Method;

// LiveKit takes about this long to notice that a client is gone.
constexpr int default_notice = 20'000;

http::Response json(std::string body, int status = 200) {
  return {.status = status, .body = std::move(body)};
}

http::Response done() {
  return {.status = 204};
}

http::Response missing(std::string_view what) {
  return problem(404, "there is no such " + std::string(what));
}

// A body that was read, or the problem with it.
template <typename T>
std::expected<T, http::Response> read_body(const http::Request& request) {
  auto body = wire::read<T>(request.body);
  if (body) return std::move(*body);
  const std::string id = make_uuid_v7(SystemClock().now()).to_string();
  return std::unexpected(http::Response{.status = status_of(body.error().code),
                                        .content_type = "application/problem+json",
                                        .body = problem_json(body.error(), request.path, id)});
}

// false: a value is no text.
bool read_attributes(const std::optional<wire::JsonObject>& object, std::map<std::string, std::string>& attributes) {
  if (!object) return true;
  const auto document = wire::JsonDocument::parse(R"({"attributes":)" + object->text + "}");
  bool fits = document.has_value();
  if (fits) attributes = Reader(document->root(), fits).texts("attributes");
  return fits;
}

http::Response wrong_attributes() {
  return problem(422, "the values of attributes must be texts");
}

std::string joined_json(const Joined& joined) {
  return wire::ObjectText()
      .text("room_sid", joined.room_sid)
      .json("participant", participant_json(joined.participant, Style::answer))
      .str();
}

http::Response participant_or_missing(const std::optional<Participant>& participant) {
  return participant ? json(participant_json(*participant, Style::answer)) : missing("participant");
}

Fault make_fault(const FaultRules& rules, FaultTarget target, std::string kind, std::optional<std::string> only) {
  Fault fault{.target = target, .kind = std::move(kind), .only = std::move(only), .room = rules.room};
  fault.percent = rules.percent.value_or(100);
  fault.times = rules.times;
  if (rules.milliseconds) fault.duration = Milliseconds(*rules.milliseconds);
  return fault;
}

std::optional<Timestamp> to_timestamp(std::optional<std::int64_t> milliseconds) {
  return milliseconds ? std::optional(Timestamp(Milliseconds(*milliseconds))) : std::nullopt;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// ?after=N: only what has a higher seq.
std::optional<std::int64_t> read_after(const http::Request& request) {
  if (request.query.empty()) return 0;
  const auto parameters = http::parse_query(request.query);
  if (!parameters || parameters->size() != 1 || parameters->front().first != "after") return std::nullopt;
  return parse_number(parameters->front().second);
}

http::Response wrong_query() {
  return problem(400, "the only parameter is ?after=N, a number");
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

// The values of the pattern's `*`; nullopt if the path is another.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  const auto wanted = split(pattern);
  const auto given = split(path);
  std::vector<std::string> parameters;
  if (wanted.size() != given.size()) return std::nullopt;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::string decoded;
    if (!http::percent_decode(given[i], decoded)) return std::nullopt;
    if (wanted[i] == "*" && !decoded.empty()) {
      parameters.push_back(std::move(decoded));
    } else if (wanted[i] != decoded) {
      return std::nullopt;
    }
  }
  return parameters;
}

}  // namespace

std::span<const Control::Route> Control::routes() {
  static constexpr std::array table{
      Route{Method::get, "/control/settings", &Control::settings},
      Route{Method::patch, "/control/settings", &Control::change_settings},
      Route{Method::get, "/control/rooms", &Control::rooms},
      Route{Method::put, "/control/rooms/*", &Control::put_room},
      Route{Method::delete_, "/control/rooms/*", &Control::remove_room},
      Route{Method::post, "/control/rooms/*/finish", &Control::finish_room},
      Route{Method::post, "/control/join", &Control::join},
      Route{Method::post, "/control/activate", &Control::activate},
      Route{Method::post, "/control/leave", &Control::leave},
      Route{Method::post, "/control/abort", &Control::abort},
      Route{Method::post, "/control/crash", &Control::crash},
      Route{Method::post, "/control/restart", &Control::restart},
      Route{Method::post, "/control/faults/requests", &Control::add_request_fault},
      Route{Method::post, "/control/faults/webhooks", &Control::add_webhook_fault},
      Route{Method::get, "/control/faults", &Control::faults},
      Route{Method::delete_, "/control/faults", &Control::clear_faults},
      Route{Method::delete_, "/control/faults/*", &Control::remove_fault},
      Route{Method::get, "/control/requests", &Control::requests},
      Route{Method::get, "/control/webhooks", &Control::webhooks},
  };
  return table;
}

Task<http::Response> Control::answer(const http::Request& request) {
  bool known = false;
  for (const Route& route : routes()) {
    auto parameters = match(route.pattern, request.path);
    if (!parameters) continue;
    known = true;
    if (route.method == request.method) co_return (this->*route.answer)({request, std::move(*parameters)});
  }
  if (known) co_return problem(405, "this path knows no " + std::string(http::name_of(request.method)));
  co_return problem(404, "the control API has no such path");
}

http::Response Control::settings(const Input&) {
  const auto url = needs_.webhooks.url();
  wire::ObjectText object;
  if (url) {
    object.text("webhook_url", *url);
  } else {
    object.json("webhook_url", "null");
  }
  object.flag("auto_create", needs_.world.auto_create()).flag("listening", needs_.gate.is_open());
  return json(object.number("port", needs_.gate.port()).str());
}

http::Response Control::change_settings(const Input& input) {
  const auto body = read_body<SettingsBody>(input.request);
  if (!body) return body.error();
  if (body->webhook_url) {
    const bool somebody = !body->webhook_url->empty();
    if (!needs_.webhooks.set_url(somebody ? body->webhook_url : std::nullopt))
      return problem(422, "webhook_url must be a URL of http or https, or empty");
  }
  if (body->auto_create) needs_.world.set_auto_create(*body->auto_create);
  if (body->listening && *body->listening) needs_.gate.open();
  if (body->listening && !*body->listening) needs_.gate.close();
  return settings(input);
}

http::Response Control::rooms(const Input&) {
  return json(list_to_json("rooms", needs_.world.rooms({})));
}

http::Response Control::put_room(const Input& input) {
  auto body = read_body<RoomBody>(input.request);
  if (!body) return body.error();
  Placed room{.sid = body->sid, .created_at = to_timestamp(body->created_at_ms)};
  for (PlacedBody& placed : body->participants) {
    Participant& participant = room.participants.emplace_back();
    participant.sid = placed.sid.value_or("");
    participant.identity = std::move(placed.identity);
    participant.state = placed.state.value_or(participant.state);
    participant.kind = placed.kind.value_or(participant.kind);
    participant.joined_at = to_timestamp(placed.joined_at_ms).value_or(needs_.clock.now());
    if (!read_attributes(placed.attributes, participant.attributes)) return wrong_attributes();
  }
  return json(to_json(needs_.world.place(input.parameters.front(), std::move(room))));
}

http::Response Control::remove_room(const Input& input) {
  return needs_.world.vanish(input.parameters.front()) ? done() : missing("room");
}

http::Response Control::finish_room(const Input& input) {
  return needs_.world.finish_room(input.parameters.front()) ? done() : missing("room");
}

http::Response Control::join(const Input& input) {
  const auto body = read_body<JoinBody>(input.request);
  if (!body) return body.error();
  Join join{.media = body->media.value_or(true)};
  if (body->token) {
    auto claims = verify_token(*body->token, needs_.key, needs_.clock.now());
    if (!claims) return problem(claims.error().status, claims.error().text);
    join.claims = std::move(*claims);
  } else {
    if (!body->room || !body->identity) return problem(422, "token is required, or room and identity");
    join.claims = {
        .identity = *body->identity, .name = body->name.value_or(""), .metadata = body->metadata.value_or("")};
    join.claims.kind = body->kind.value_or("STANDARD");
    join.claims.has_video = join.claims.room_join = true;
    join.claims.room = *body->room;
    if (!read_attributes(body->attributes, join.claims.attributes)) return wrong_attributes();
  }
  const auto joined = needs_.world.join(join);
  if (!joined) return problem(joined.error().status, joined.error().text);
  return json(joined_json(*joined), 201);
}

http::Response Control::activate(const Input& input) {
  const auto body = read_body<WhoBody>(input.request);
  if (!body) return body.error();
  return participant_or_missing(needs_.world.activate(body->room, body->identity));
}

http::Response Control::leave(const Input& input) {
  const auto body = read_body<WhoBody>(input.request);
  if (!body) return body.error();
  return participant_or_missing(
      needs_.world.leave(body->room, body->identity, body->reason.value_or("CLIENT_INITIATED")));
}

http::Response Control::abort(const Input& input) {
  const auto body = read_body<WhoBody>(input.request);
  if (!body) return body.error();
  const auto participant = needs_.world.participant(body->room, body->identity);
  if (participant && participant->state == "ACTIVE")
    return problem(409, "this participant has media: it can only leave");
  return participant_or_missing(needs_.world.leave(body->room, body->identity, body->reason.value_or("SIGNAL_CLOSE")));
}

http::Response Control::crash(const Input& input) {
  const auto body = read_body<WhoBody>(input.request);
  if (!body) return body.error();
  const Milliseconds noticed_after(body->milliseconds.value_or(default_notice));
  return participant_or_missing(needs_.world.crash(body->room, body->identity, noticed_after));
}

http::Response Control::restart(const Input&) {
  needs_.world.restart();
  needs_.webhooks.forget();
  return done();
}

http::Response Control::add_request_fault(const Input& input) {
  const auto body = read_body<RequestFaultBody>(input.request);
  if (!body) return body.error();
  return json(to_json(needs_.faults.add(make_fault(*body, FaultTarget::request, body->fault, body->method))), 201);
}

http::Response Control::add_webhook_fault(const Input& input) {
  const auto body = read_body<WebhookFaultBody>(input.request);
  if (!body) return body.error();
  return json(to_json(needs_.faults.add(make_fault(*body, FaultTarget::webhook, body->fault, body->event))), 201);
}

http::Response Control::faults(const Input&) {
  return json(list_to_json("faults", needs_.faults.all()));
}

http::Response Control::clear_faults(const Input&) {
  needs_.faults.clear();
  return done();
}

http::Response Control::remove_fault(const Input& input) {
  const auto id = parse_number(input.parameters.front());
  return id && needs_.faults.remove(*id) ? done() : missing("fault");
}

http::Response Control::requests(const Input& input) {
  const auto after = read_after(input.request);
  return after ? json(list_to_json("requests", needs_.front.requests().after(*after))) : wrong_query();
}

http::Response Control::webhooks(const Input& input) {
  const auto after = read_after(input.request);
  return after ? json(list_to_json("webhooks", needs_.webhooks.deliveries().after(*after))) : wrong_query();
}

}  // namespace call_service::fake_livekit
