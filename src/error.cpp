#include "error.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "wire/problem.hpp"
#include "wire/write.hpp"

namespace call_service {
namespace {

struct ErrorKind {
  ErrorCode code;
  int status;
  std::string_view name;
  std::string_view title;
};

using enum ErrorCode;

constexpr std::array error_kinds{
    ErrorKind{malformed_request, 400, "malformed_request", "The request is malformed"},
    ErrorKind{malformed_json, 400, "malformed_json", "The body is not valid JSON"},
    ErrorKind{unauthorized, 401, "unauthorized", "A valid credential is required"},
    ErrorKind{webhook_unauthorized, 401, "webhook_unauthorized", "The webhook's signature is missing or wrong"},
    ErrorKind{forbidden, 403, "forbidden", "This is not allowed"},
    ErrorKind{call_not_found, 404, "call_not_found", "There is no such call"},
    ErrorKind{session_not_found, 404, "session_not_found", "There is no such session"},
    ErrorKind{user_not_found, 404, "user_not_found", "There is no such user"},
    ErrorKind{route_not_found, 404, "route_not_found", "There is no such path"},
    ErrorKind{method_not_allowed, 405, "method_not_allowed", "The method is not allowed here"},
    ErrorKind{call_id_taken, 409, "call_id_taken", "The call id is taken"},
    ErrorKind{call_ended, 409, "call_ended", "The call has ended"},
    ErrorKind{call_full, 409, "call_full", "The call is full"},
    ErrorKind{body_too_large, 413, "body_too_large", "The body is too large"},
    ErrorKind{unsupported_media_type, 415, "unsupported_media_type", "The media type is not supported"},
    ErrorKind{headers_too_large, 431, "headers_too_large", "The headers are too large"},
    ErrorKind{validation_failed, 422, "validation_failed", "The request's content is not valid"},
    ErrorKind{internal, 500, "internal", "Something went wrong in the service"},
    ErrorKind{database_unavailable, 503, "database_unavailable", "The database is not available"},
    ErrorKind{overloaded, 503, "overloaded", "The service is overloaded"},
    ErrorKind{shutting_down, 503, "shutting_down", "The service is shutting down"},
};

constexpr bool is_ordered_by_code() {
  for (std::size_t i = 0; i < error_kinds.size(); ++i) {
    if (static_cast<std::size_t>(error_kinds[i].code) != i) return false;
  }
  return error_kinds.size() == static_cast<std::size_t>(shutting_down) + 1;
}
static_assert(is_ordered_by_code(), "the table has one entry a code, in the order of the codes");

constexpr bool are_all_published() {
  std::string_view rest = wire::problem_codes;
  for (const ErrorKind& kind : error_kinds) {
    if (!rest.starts_with(kind.name)) return false;
    rest.remove_prefix(kind.name.size());
    if (rest.starts_with('|')) rest.remove_prefix(1);
  }
  return rest.empty();
}
static_assert(are_all_published(), "the API's description names each code");

const ErrorKind& kind_of(ErrorCode code) {
  return error_kinds[static_cast<std::size_t>(code)];
}

wire::ProblemFault to_wire(const Fault& fault) {
  wire::ProblemFault out{.code = std::string(fault.code), .detail = fault.detail};
  if (fault.parameter.empty()) {
    out.pointer = fault.pointer;
  } else {
    out.parameter = fault.parameter;
  }
  return out;
}

}  // namespace

std::unexpected<Error> fail(ErrorCode code, std::string detail) {
  return std::unexpected(Error{code, std::move(detail), {}, {}});
}

int status_of(ErrorCode code) {
  return kind_of(code).status;
}

std::string_view name_of(ErrorCode code) {
  return kind_of(code).name;
}

std::string_view title_of(ErrorCode code) {
  return kind_of(code).title;
}

std::span<const ErrorCode> all_error_codes() {
  static const auto codes = [] {
    std::array<ErrorCode, error_kinds.size()> all{};
    std::ranges::transform(error_kinds, all.begin(), &ErrorKind::code);
    std::ranges::sort(all, {}, [](ErrorCode code) { return std::pair(status_of(code), code); });
    return all;
  }();
  return codes;
}

std::string problem_json(const Error& error, std::string_view instance, std::string_view request_id) {
  const ErrorKind& kind = kind_of(error.code);
  wire::Problem problem{.type = "urn:call-service:error:" + std::string(kind.name),
                        .title = std::string(kind.title),
                        .status = kind.status,
                        .detail = error.detail,
                        .instance = std::string(instance),
                        .code = std::string(kind.name),
                        .request_id = std::string(request_id)};
  if (error.code == validation_failed) {
    std::ranges::transform(error.faults, std::back_inserter(problem.errors.emplace()), to_wire);
  }
  return wire::write(problem);
}

}  // namespace call_service
