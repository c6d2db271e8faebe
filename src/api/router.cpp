#include <algorithm>

#include "api/route.hpp"

namespace call_service::api {

namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}

bool fits(const std::vector<std::string_view>& pattern, const std::vector<std::string>& segments) {
  return std::ranges::equal(pattern, segments, [](std::string_view p, const std::string& s) {
    return is_parameter(p) ? !s.empty() : p == s;
  });
}

void add_method(std::string& list, http::Method method) {
  if (!list.empty()) list += ", ";
  list += http::name_of(method);
  if (method == http::Method::get) list += ", HEAD";
}

}  // namespace

Match find_route(std::span<const Route> table, http::Method method, std::string_view path) {
  Match match;
  std::vector<std::string> segments;
  for (const auto encoded : split(path)) {
    if (!http::percent_decode(encoded, segments.emplace_back())) match.malformed = true;
  }
  if (match.malformed) return match;

  const auto wanted = method == http::Method::head ? http::Method::get : method;
  for (const auto& route : table) {
    const auto pattern = split(route.pattern);
    if (!fits(pattern, segments)) continue;
    add_method(match.allowed_methods, route.method);
    if (route.method != wanted) continue;
    match.route = &route;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (is_parameter(pattern[i]))
        match.parameters.emplace_back(pattern[i].substr(1, pattern[i].size() - 2), segments[i]);
    }
  }
  return match;
}

}  // namespace call_service::api
