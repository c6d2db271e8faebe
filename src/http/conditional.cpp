#include "http/conditional.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <ranges>

#include "http/text.hpp"

namespace call_service::http {
namespace {

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Whether any element of a header's list, trimmed, is as asked.
bool any_element(const Request& request, std::string_view name, const std::function<bool(std::string_view)>& is_meant) {
  const auto of_value = [&](std::string_view value) {
    return std::ranges::any_of(std::views::split(value, ','),
                               [&](auto part) { return is_meant(trim(std::string_view(part))); });
  };
  return std::ranges::any_of(request.headers, [&](const Header& header) {
    return equal_ignoring_case(header.first, name) && of_value(header.second);
  });
}

// "q=0", "q=0.0", "q=0.000": not acceptable.
bool is_refused(std::string_view parameters) {
  const auto q = parameters.find("q=");
  return q != std::string_view::npos &&
         trim(parameters.substr(q + 2)).find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

std::string entity_tag(std::string_view content) {
  // FNV-1a, 64 bits: it has to notice a change, not to withstand an attack.
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("W/\"{:016x}\"", hash);
}

bool has_same_version(const Request& request, std::string_view tag) {
  const auto opaque = [](std::string_view text) { return text.starts_with("W/") ? text.substr(2) : text; };
  return any_element(request, "If-None-Match",
                     [&](std::string_view element) { return element == "*" || opaque(element) == opaque(tag); });
}

bool accepts_gzip(const Request& request) {
  return any_element(request, "Accept-Encoding", [](std::string_view element) {
    const auto name = trim(element.substr(0, element.find(';')));
    const auto parameters = element.substr(std::min(element.size(), name.size()));
    return (equal_ignoring_case(name, "gzip") || name == "*") && !is_refused(parameters);
  });
}

}  // namespace call_service::http
