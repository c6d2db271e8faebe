#include "api/openapi/document.hpp"

#include <map>
#include <vector>

#include "api/openapi/responses.hpp"
#include "api/openapi/text.hpp"
#include "api/route.hpp"
#include "wire/problem.hpp"

namespace call_service::api {

namespace {

using openapi::Responses;
using wire::ArrayText;
using wire::ObjectText;

std::string description() {
  std::string text(openapi::introduction);
  text += "\n| status | code | |\n| --- | --- | --- |\n";
  for (const ErrorCode code : all_error_codes()) {
    text.append("| ").append(std::to_string(status_of(code))).append(" | `").append(name_of(code)).append("` | ");
    text.append(title_of(code)).append(" |\n");
  }
  return text;
}

std::string info() {
  const auto license = ObjectText().text("name", "Apache License 2.0").text("identifier", "Apache-2.0");
  return ObjectText()
      .text("title", "Call & Session Service")
      .text("version", CALL_SERVICE_VERSION)
      .text("summary", "Calls and the sessions of the people in them, on top of LiveKit")
      .text("description", description())
      .json("license", license.str())
      .str();
}

std::string tags() {
  const auto tag = [](std::string_view name, std::string_view text) {
    return ObjectText().text("name", name).text("description", text).str();
  };
  return ArrayText()
      .json(tag("Calls", "Start, join, leave, end; what happened."))
      .json(tag("Users", "Where a user is now."))
      .json(tag("LiveKit", "What LiveKit calls, nobody else."))
      .json(tag("Operation", "For those who run the service."))
      .str();
}

std::string security_schemes() {
  const auto bearer = ObjectText()
                          .text("type", "http")
                          .text("scheme", "bearer")
                          .text("bearerFormat", "JWT")
                          .text("description", "A user token (JWT), or a service key.");
  const auto key = ObjectText()
                       .text("type", "apiKey")
                       .text("in", "header")
                       .text("name", "X-API-Key")
                       .text("description", "A service key.");
  const auto signature = ObjectText()
                             .text("type", "apiKey")
                             .text("in", "header")
                             .text("name", "Authorization")
                             .text("description", "LiveKit's JWT, with the hash of the body in `sha256`.");
  return ObjectText()
      .json("bearer", bearer.str())
      .json("serviceKey", key.str())
      .json("livekitSignature", signature.str())
      .str();
}

// OpenAPI's list of alternatives; an empty one: no credential.
std::string security(Access access) {
  const auto scheme = [](std::string_view name) { return ObjectText().json(name, "[]").str(); };
  switch (access) {
    case Access::open:
      return "[]";
    case Access::caller:
    case Access::service:
      return ArrayText().json(scheme("bearer")).json(scheme("serviceKey")).str();
    case Access::livekit:
      return ArrayText().json(scheme("livekitSignature")).str();
  }
  std::unreachable();
}

// LiveKit's WebhookEvent as protobuf's JSON; we look at a part of it and let all else pass.
constexpr std::string_view livekit_event_schema = R"({"type":"object","additionalProperties":true,"properties":{)"
                                                  R"("event":{"type":"string"},"id":{"type":"string"},)"
                                                  R"("createdAt":{"type":["string","integer"]},)"
                                                  R"("room":{"type":"object","additionalProperties":true},)"
                                                  R"("participant":{"type":"object","additionalProperties":true}}})";
constexpr std::string_view livekit_event_example =
    R"({"event":"room_finished","id":"EV_7yCj3Xg9Lk2p","createdAt":"1795361961",)"
    R"("room":{"sid":"RM_4fYxn2k8Qw1z","name":"call_0193558e-6c3f-7d0a-9a4e-2f6b1c8d5e70"}})";

std::string body_content(std::string_view schema, std::string_view example) {
  return ObjectText().json("schema", schema).json("example", example).str();
}

void add_request_body(ObjectText& operation, const Route& route, const HandlerTypes& types) {
  ObjectText content;
  if (route.access == Access::livekit) {
    content.json("application/webhook+json", body_content(livekit_event_schema, livekit_event_example));
  } else if (types.body) {
    content.json("application/json", body_content(types.body->schema, types.body->example));
  } else {
    return;
  }
  const bool required = types.body_required || route.access == Access::livekit;
  operation.json("requestBody", ObjectText().flag("required", required).json("content", content.str()).str());
}

std::string operation_of(const Route& route, wire::Schemas& schemas, Responses& responses) {
  HandlerTypes types{.schemas = schemas};
  route.describe(types);
  ObjectText operation;
  operation.text("operationId", route.operation->id)
      .json("tags", ArrayText().text(route.operation->tag).str())
      .text("summary", route.operation->summary)
      .text("description", route.operation->description)
      .json("security", security(route.access));
  if (types.has_parameters) operation.json("parameters", types.parameters.str());
  add_request_body(operation, route, types);
  operation.json("responses", responses.of(route, types));
  return operation.str();
}

std::string method_name(http::Method method) {
  std::string name(http::name_of(method));
  for (char& c : name) c = static_cast<char>(c - 'A' + 'a');
  return name;
}

// Paths in the order of the table, each with all its methods.
std::string paths(wire::Schemas& schemas, Responses& responses) {
  std::vector<std::string_view> order;
  std::map<std::string_view, ObjectText> items;
  for (const Route& route : routes()) {
    if (route.operation == nullptr) continue;
    if (!items.contains(route.pattern)) order.push_back(route.pattern);
    items[route.pattern].json(method_name(route.method), operation_of(route, schemas, responses));
  }
  ObjectText all;
  for (const auto pattern : order) all.json(pattern, items[pattern].str());
  return all.str();
}

std::string make_document() {
  wire::Schemas schemas;
  Responses responses;
  schemas.reference<wire::Problem>(wire::SchemaUse::response);
  const std::string all_paths = paths(schemas, responses);
  const auto components = ObjectText()
                              .json("schemas", schemas.str())
                              .json("responses", responses.responses())
                              .json("headers", Responses::headers())
                              .json("securitySchemes", security_schemes());
  return ObjectText()
      .text("openapi", "3.1.0")
      .json("info", info())
      .json("servers", R"([{"url":"/","description":"This service"}])")
      .json("tags", tags())
      .json("paths", all_paths)
      .json("components", components.str())
      .str();
}

}  // namespace

const std::string& openapi_document() {
  static const std::string document = make_document();
  return document;
}

}  // namespace call_service::api
