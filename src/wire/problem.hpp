#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wire/field.hpp"

// The wire form of an error (RFC 9457). Written by problem_json; declared here for the API's description too.
namespace call_service::wire {

struct ProblemFault {
  std::optional<std::string> pointer{};
  std::optional<std::string> parameter{};
  std::string code;
  std::string detail;

  static constexpr std::string_view schema_name = "Fault";
  static constexpr auto fields() {
    return std::tuple{
        field("pointer", &ProblemFault::pointer,
              {.description = "RFC 6901, into the body; \"\" is the whole body", .omit_null = true}),
        field("parameter", &ProblemFault::parameter, {.description = "of the path or the query", .omit_null = true}),
        field("code", &ProblemFault::code, {.known_values = "required|type|length|format|range|enum|unknown_field"}),
        field("detail", &ProblemFault::detail),
    };
  }
};

// Of every problem, in the order of ErrorCode (error.hpp), whose table is held against it.
inline constexpr std::string_view problem_codes =
    "malformed_request|malformed_json|unauthorized|webhook_unauthorized|forbidden|call_not_found|session_not_found|"
    "user_not_found|route_not_found|method_not_allowed|call_id_taken|call_ended|call_full|body_too_large|"
    "unsupported_media_type|headers_too_large|validation_failed|internal|database_unavailable|overloaded|shutting_down";

struct Problem {
  std::string type;
  std::string title;
  int status = 0;
  std::string detail;
  std::string instance;
  std::string code;
  std::string request_id;
  std::optional<std::vector<ProblemFault>> errors{};

  static constexpr std::string_view schema_name = "Problem";
  static constexpr auto fields() {
    return std::tuple{
        field("type", &Problem::type, {.description = "urn:call-service:error: and the code"}),
        field("title", &Problem::title, {.description = "of the code, always the same"}),
        field("status", &Problem::status),
        field("detail", &Problem::detail, {.description = "of this error, for people"}),
        field("instance", &Problem::instance, {.description = "the request's path"}),
        field("code", &Problem::code,
              {.description = "for programs; the introduction tells when each", .known_values = problem_codes}),
        field("request_id", &Problem::request_id, {.description = "as in X-Request-Id and in the service's log"}),
        field("errors", &Problem::errors,
              {.description = "only with validation_failed: all faults", .omit_null = true}),
    };
  }
};

}  // namespace call_service::wire
