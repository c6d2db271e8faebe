#include "middlewares/limits.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>

namespace call_service::middlewares {

namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

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

}  // namespace

std::optional<Error> refuse_body(const http::Request& request, std::size_t limit,
                                 std::span<const std::string_view> types) {
  const std::size_t length = announced_length(request);
  if (length > limit)
    return fail(ErrorCode::body_too_large, "The body is larger than " + std::to_string(limit) + " bytes.").error();
  if (request.header("Content-Encoding") != nullptr) {
    return fail(ErrorCode::unsupported_media_type, "An encoded body is not accepted.").error();
  }
  if (length == 0 && request.header("Transfer-Encoding") == nullptr) return std::nullopt;
  const std::string* type = request.header("Content-Type");
  const bool accepted =
      type != nullptr && request.header_count("Content-Type") == 1 &&
      std::ranges::any_of(types, [&](std::string_view t) { return equal_ignoring_case(t, media_type(*type)); });
  if (accepted) return std::nullopt;
  return fail(ErrorCode::unsupported_media_type, "The body must be " + std::string(types.front()) + ".").error();
}

}  // namespace call_service::middlewares
