#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace call_service {

// Every error a client can be told. The table in error.cpp gives each its HTTP status, its code on the wire and its
// title.
enum class ErrorCode {
  malformed_request,
  malformed_json,
  unauthorized,
  webhook_unauthorized,
  forbidden,
  call_not_found,
  session_not_found,
  user_not_found,
  route_not_found,
  method_not_allowed,
  call_id_taken,
  call_ended,
  call_full,
  body_too_large,
  unsupported_media_type,
  headers_too_large,
  validation_failed,
  internal,
  database_unavailable,
  overloaded,
  shutting_down,
};

// One thing wrong with a request's content. Exactly one of pointer (RFC 6901, into the body) and parameter (path or
// query) is meant: an empty parameter means pointer, where "" is the whole body.
struct Fault {
  std::string pointer{};
  std::string parameter{};
  std::string_view code{};  // required | type | length | format | range | enum | unknown_field; static storage
  std::string detail{};
};

struct Error {
  ErrorCode code;
  std::string detail{};         // for the client
  std::vector<Fault> faults{};  // only with validation_failed: all that were found
  std::string cause{};          // for the log only, never sent
};

// An expected outcome: a value, or an error that the client is told.
template <typename T>
using Result = std::expected<T, Error>;

std::unexpected<Error> fail(ErrorCode code, std::string detail);

// The HTTP status of a code.
int status_of(ErrorCode code);

// The code as it is on the wire, for example "call_not_found".
std::string_view name_of(ErrorCode code);

std::string_view title_of(ErrorCode code);

// Every code, in the order of their statuses.
std::span<const ErrorCode> all_error_codes();

// The RFC 9457 document for an error. `instance` is the request's path as sent.
std::string problem_json(const Error& error, std::string_view instance, std::string_view request_id);

}  // namespace call_service
