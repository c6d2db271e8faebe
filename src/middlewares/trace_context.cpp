#include "middlewares/trace_context.hpp"

#include <algorithm>

namespace call_service::middlewares {

namespace {

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

// version "-" trace-id "-" parent-id "-" flags; what a later version has more begins with another "-".
std::optional<TraceContext> trace_context_of(const http::Request& request) {
  constexpr std::size_t length = 2 + 1 + 32 + 1 + 16 + 1 + 2;
  const std::string* header = request.header("traceparent");
  if (header == nullptr || request.header_count("traceparent") != 1 || header->size() < length) return std::nullopt;
  const std::string_view text = *header;
  const std::string_view version = text.substr(0, 2);
  const TraceContext context{.trace_id = text.substr(3, 32), .parent_id = text.substr(36, 16)};
  const bool divided = text[2] == '-' && text[35] == '-' && text[52] == '-';
  const bool ends = text.size() == length || (version != "00" && text[length] == '-');
  const bool valid = divided && ends && is_hex(version) && version != "ff" && is_id(context.trace_id) &&
                     is_id(context.parent_id) && is_hex(text.substr(53, 2));
  return valid ? std::optional(context) : std::nullopt;
}

}  // namespace call_service::middlewares
