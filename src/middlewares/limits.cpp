#include "middlewares/limits.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "http/text.hpp"

namespace call_service::middlewares {

namespace {

// The type without its parameters: "application/json; charset=utf-8" is application/json.
std::string_view media_type(std::string_view value) {
  value = value.substr(0, value.find(';'));
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return value;
}

// Content-Length was checked by the connection to be one number; what does not fit is too large for anybody.
std::size_t announced_length(const http::Request& request) {
  const std::string* text = request.header("Content-Length");
  if (text == nullptr) return 0;
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  return error == std::errc() ? length : SIZE_MAX;
}

bool is_of_type(const http::Request& request, std::span<const std::string_view> types) {
  const std::string* type = request.header("Content-Type");
  return type != nullptr && request.header_count("Content-Type") == 1 &&
         std::ranges::any_of(types,
                             [&](std::string_view t) { return http::equal_ignoring_case(t, media_type(*type)); });
}

Error wrong_type(std::span<const std::string_view> types) {
  return fail(ErrorCode::unsupported_media_type, "The body must be " + std::string(types.front()) + ".").error();
}

}  // namespace

std::optional<Error> refuse_body(const http::Request& request, std::size_t limit,
                                 std::span<const std::string_view> types) {
  const std::size_t length = announced_length(request);
  if (length > limit) return body_too_large(limit);
  const bool is_chunked = request.header("Transfer-Encoding") != nullptr;
  if (length == 0 && !is_chunked) return std::nullopt;
  if (request.header("Content-Encoding") != nullptr) {
    return fail(ErrorCode::unsupported_media_type, "An encoded body is not accepted.").error();
  }
  const bool may_be_empty = is_chunked && request.header("Content-Type") == nullptr;
  if (may_be_empty || is_of_type(request, types)) return std::nullopt;
  return wrong_type(types);
}

std::size_t body_bytes(const http::Request& request, std::size_t limit) {
  return request.header("Transfer-Encoding") != nullptr ? limit : announced_length(request);
}

std::optional<Error> refuse_untyped_body(const http::Request& request, std::span<const std::string_view> types) {
  if (request.body.empty() || request.header("Content-Type") != nullptr) return std::nullopt;
  return wrong_type(types);
}

Error body_too_large(std::size_t limit) {
  return fail(ErrorCode::body_too_large, "The body is larger than " + std::to_string(limit) + " bytes.").error();
}

}  // namespace call_service::middlewares
