#include "api/openapi/responses.hpp"

#include <map>
#include <optional>
#include <vector>

namespace call_service::api::openapi {

namespace {

using wire::ArrayText;
using wire::ObjectText;

std::string reference_to(std::string_view kind, std::string_view name) {
  std::string pointer = "#/components/";
  pointer.append(kind).append("/").append(name);
  return ObjectText().text("$ref", pointer).str();
}

ObjectText common_headers() {
  return ObjectText().json("X-Request-Id", reference_to("headers", "X-Request-Id"));
}

std::string header(std::string_view description, std::string_view example, bool required = false) {
  return ObjectText()
      .text("description", description)
      .flag("required", required)
      .json("schema", R"({"type":"string"})")
      .text("example", example)
      .str();
}

// --- errors

// What any request may be answered: also a GET with a body that nobody asked for.
constexpr ErrorSet of_all{ErrorCode::malformed_request, ErrorCode::body_too_large, ErrorCode::unsupported_media_type,
                          ErrorCode::headers_too_large, ErrorCode::internal,       ErrorCode::database_unavailable,
                          ErrorCode::overloaded,        ErrorCode::shutting_down};

ErrorSet possible_errors(const Route& route, const HandlerTypes& types) {
  ErrorSet errors = route.operation->errors | of_all;
  if (route.access == Access::livekit) return errors | ErrorSet{ErrorCode::webhook_unauthorized};
  if (route.access != Access::open) errors = errors | ErrorSet{ErrorCode::unauthorized};
  if (types.body) errors = errors | ErrorSet{ErrorCode::malformed_json};
  if (types.body || types.has_parameters) errors = errors | ErrorSet{ErrorCode::validation_failed};
  return errors;
}

std::map<int, std::vector<ErrorCode>> by_status(ErrorSet errors) {
  std::map<int, std::vector<ErrorCode>> grouped;
  for (const ErrorCode code : all_error_codes()) {
    if (errors.contains(code)) grouped[status_of(code)].push_back(code);
  }
  return grouped;
}

std::string example_of(ErrorCode code) {
  Error error{.code = code, .detail = std::string(title_of(code)) + "."};
  if (code == ErrorCode::validation_failed) {
    error.detail = "The request's content is not valid.";
    error.faults = {{.pointer = "/caller_id", .code = "length", .detail = "must have 1 to 128 characters"},
                    {.parameter = "call_id", .code = "format", .detail = "must be a UUID"}};
  }
  const auto value = problem_json(error, "/calls", "0193558e-70aa-7c11-8e52-5b7f3d2a9c04");
  return ObjectText().text("summary", title_of(code)).json("value", value).str();
}

std::string problem_content(const std::vector<ErrorCode>& codes) {
  ObjectText examples;
  for (const ErrorCode code : codes) examples.json(name_of(code), example_of(code));
  return ObjectText().json("schema", reference_to("schemas", "Problem")).json("examples", examples.str()).str();
}

std::string problem_description(const std::vector<ErrorCode>& codes) {
  std::string text;
  for (const ErrorCode code : codes) {
    if (!text.empty()) text += " ";
    text.append(title_of(code)).append(" (`").append(name_of(code)).append("`).");
  }
  return text;
}

ObjectText problem_headers(const std::vector<ErrorCode>& codes) {
  auto headers = common_headers();
  if (codes.front() == ErrorCode::unauthorized) {
    headers.json("WWW-Authenticate", reference_to("headers", "WWW-Authenticate"));
  }
  if (status_of(codes.front()) == 503) headers.json("Retry-After", reference_to("headers", "Retry-After"));
  return headers;
}

std::string problem_response(const std::vector<ErrorCode>& codes) {
  return ObjectText()
      .text("description", problem_description(codes))
      .json("headers", problem_headers(codes).str())
      .json("content", ObjectText().json("application/problem+json", problem_content(codes)).str())
      .str();
}

// The component's name: its codes.
std::string name_of_group(const std::vector<ErrorCode>& codes) {
  std::string name;
  for (const ErrorCode code : codes) {
    if (!name.empty()) name += '.';
    name += name_of(code);
  }
  return name;
}

// --- successes

ObjectText success_headers(const Operation& operation, int status) {
  auto headers = common_headers();
  if (status == 201) headers.json("Location", reference_to("headers", "Location"));
  if (operation.hands_out_token) headers.json("Cache-Control", reference_to("headers", "Cache-Control"));
  return headers;
}

std::string success_content(const Operation& operation, const HandlerTypes& types) {
  if (!types.response) {
    return ObjectText().json(operation.content_type, R"({"schema":{"type":"string"}})").str();
  }
  const auto body = ObjectText().json("schema", types.response->schema).json("example", types.response->example);
  return ObjectText().json("application/json", body.str()).str();
}

std::string success(const Route& route, const HandlerTypes& types, int status, std::string_view description) {
  return ObjectText()
      .text("description", description)
      .json("headers", success_headers(*route.operation, status).str())
      .json("content", success_content(*route.operation, types))
      .str();
}

// A 503 that is either the body of the operation or a problem.
std::string not_ready(const Route& route, const HandlerTypes& types, const std::vector<ErrorCode>& codes) {
  const auto body = ObjectText().json("schema", types.response->schema);
  const auto content =
      ObjectText().json("application/json", body.str()).json("application/problem+json", problem_content(codes));
  return ObjectText()
      .text("description", std::string(route.operation->not_ready) + " Or: " + problem_description(codes))
      .json("headers", problem_headers(codes).str())
      .json("content", content.str())
      .str();
}

}  // namespace

std::string Responses::reference(const std::vector<ErrorCode>& codes, const std::string& name) {
  if (known_.insert(name).second) components_.json(name, problem_response(codes));
  return reference_to("responses", name);
}

std::string Responses::of(const Route& route, const HandlerTypes& types) {
  const Operation& operation = *route.operation;
  ObjectText responses;
  responses.json("200", success(route, types, 200, operation.ok));
  if (!operation.created.empty()) responses.json("201", success(route, types, 201, operation.created));
  for (const auto& [status, codes] : by_status(possible_errors(route, types))) {
    const bool shared = status == 503 && !operation.not_ready.empty();
    responses.json(std::to_string(status),
                   shared ? not_ready(route, types, codes) : reference(codes, name_of_group(codes)));
  }
  return responses.str();
}

std::string Responses::headers() {
  return ObjectText()
      .json("X-Request-Id",
            header("The request's own, if it was 1 to 64 of `A-Za-z0-9._-`, else a new one; it is in the "
                   "service's log, too.",
                   "0193558e-70aa-7c11-8e52-5b7f3d2a9c04", true))
      .json("Location", header("The path of what was made.", "/calls/0193558e-6c3f-7d0a-9a4e-2f6b1c8d5e70"))
      .json("Cache-Control", header("No cache may keep a token.", "no-store"))
      .json("WWW-Authenticate", header("The scheme of credentials.", "Bearer"))
      .json("Retry-After", header("Seconds until a retry makes sense.", "1"))
      .str();
}

}  // namespace call_service::api::openapi
