#include "fake_livekit/control_text.hpp"

#include "wire/json.hpp"
#include "wire/object_text.hpp"

namespace call_service::fake_livekit {
namespace {

// null where the text is empty.
void add(wire::ObjectText& object, std::string_view name, const std::string& value) {
  if (value.empty()) {
    object.json(name, "null");
  } else {
    object.text(name, value);
  }
}

// The body as the JSON it is; null if it is none.
std::string body_json(const std::string& body) {
  const auto document = wire::JsonDocument::parse(body);
  std::string json;
  if (document) document->root().append_to(json);
  return document ? json : "null";
}

std::int64_t to_milliseconds(Timestamp at) {
  return at.time_since_epoch().count();
}

}  // namespace

std::string to_json(const Fault& fault) {
  wire::ObjectText object;
  const bool of_request = fault.target == FaultTarget::request;
  object.number("id", fault.id).text("target", of_request ? "request" : "webhook").text("fault", fault.kind);
  add(object, of_request ? "method" : "event", fault.only.value_or(""));
  add(object, "room", fault.room.value_or(""));
  object.number("percent", fault.percent);
  object.json("times", fault.times ? std::to_string(*fault.times) : "null");
  object.json("milliseconds", fault.duration ? std::to_string(fault.duration->count()) : "null");
  return object.str();
}

std::string to_json(const SeenRequest& request) {
  wire::ObjectText object;
  object.number("seq", request.seq).number("at_ms", to_milliseconds(request.at)).text("method", request.method);
  add(object, "room", request.room);
  object.json("body", body_json(request.body)).text("authorization", request.authorization);
  add(object, "fault", request.fault);
  object.json("status", request.status != 0 ? std::to_string(request.status) : "null");
  return object.str();
}

std::string to_json(const Delivery& delivery) {
  wire::ObjectText object;
  object.number("seq", delivery.seq).number("at_ms", to_milliseconds(delivery.at));
  object.text("event", delivery.event).text("id", delivery.id).text("room", delivery.room);
  object.number("attempt", delivery.attempt).text("outcome", delivery.outcome);
  object.json("status", delivery.status != 0 ? std::to_string(delivery.status) : "null");
  add(object, "cause", delivery.cause);
  add(object, "fault", delivery.fault);
  return object.json("body", body_json(delivery.body)).str();
}

std::string to_json(const Room& room) {
  std::string participants;
  for (const Participant& participant : room.participants) {
    if (!participants.empty()) participants += ',';
    participants += participant_json(participant, Style::answer);
  }
  return wire::ObjectText()
      .json("room", room_json(room, Style::answer))
      .json("participants", "[" + participants + "]")
      .str();
}

}  // namespace call_service::fake_livekit
