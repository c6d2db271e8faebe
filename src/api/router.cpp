#include "api/route.hpp"

namespace call_service::api {

namespace {

// Takes the first segment off a path that begins with '/'.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}

// Whether a segment, as sent, means this word.
bool means(std::string_view sent, std::string_view word) {
  if (sent == word) return true;
  std::string decoded;
  return sent.contains('%') && http::percent_decode(sent, decoded) && decoded == word;
}

bool fits(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {
    const auto word = take_segment(pattern);
    const auto sent = take_segment(path);
    if (is_parameter(word) ? sent.empty() : !means(sent, word)) return false;
  }
  return pattern.empty() && path.empty();
}

std::vector<std::pair<std::string_view, std::string>> parameters_of(std::string_view pattern, std::string_view path) {
  std::vector<std::pair<std::string_view, std::string>> parameters;
  while (!pattern.empty()) {
    const auto word = take_segment(pattern);
    const auto sent = take_segment(path);
    if (!is_parameter(word)) continue;
    auto& [name, value] = parameters.emplace_back(word.substr(1, word.size() - 2), std::string());
    http::percent_decode(sent, value);
  }
  return parameters;
}

void add_method(std::string& list, http::Method method) {
  if (!list.empty()) list += ", ";
  list += http::name_of(method);
  if (method == http::Method::get) list += ", HEAD";
}

}  // namespace

Match find_route(std::span<const Route> table, http::Method method, std::string_view path) {
  Match match;
  std::string decoded;
  match.malformed = !http::percent_decode(path, decoded);
  if (match.malformed) return match;

  const auto wanted = method == http::Method::head ? http::Method::get : method;
  for (const auto& route : table) {
    if (!fits(route.pattern, path)) continue;
    add_method(match.allowed_methods, route.method);
    if (route.method == wanted) match.route = &route;
  }
  if (match.route != nullptr) match.parameters = parameters_of(match.route->pattern, path);
  return match;
}

}  // namespace call_service::api
