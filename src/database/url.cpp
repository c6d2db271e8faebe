#include "database/url.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <ranges>
#include <utility>

namespace call_service::db {

namespace {

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* begin = std::to_address(text.begin());
  const char* end = std::to_address(text.end());
  return std::from_chars(begin, end, port).ptr == end && port > 0;
}

// libpq writes one for each host; without one it takes its default.
bool are_ports(std::string_view list) {
  return std::ranges::all_of(std::views::split(list, ','), [](const auto& part) {
    return std::ranges::empty(part) || is_port(std::string_view(part));
  });
}

}  // namespace

std::optional<std::string> sqlite_path(std::string_view url) {
  constexpr std::string_view prefix = "sqlite:///";
  if (!url.starts_with(prefix) || url.size() == prefix.size()) return std::nullopt;
  return std::string(url.substr(prefix.size()));
}

std::optional<PostgresUrl> split_postgresql_url(std::string_view url) {
  // As libpq reads it: what stands before an '@' and a '/' is user and password, which may have a '?'.
  const auto host = url.find("://") + 3;
  const auto end_of_user = url.find_first_of("@/", host);
  const auto question = url.find('?', end_of_user == std::string_view::npos ? host : end_of_user);
  if (question == std::string_view::npos) return PostgresUrl{std::string(url)};
  PostgresUrl split{std::string(url.substr(0, question))};
  char separator = '?';
  bool is_given = false;
  for (const auto part : std::views::split(url.substr(question + 1), '&')) {
    const std::string_view parameter(part);
    if (!parameter.starts_with("prepared=")) {
      split.libpq.append(1, std::exchange(separator, '&')).append(parameter);
      continue;
    }
    split.prepared = parameter == "prepared=true";
    if (std::exchange(is_given, true) || (!split.prepared && parameter != "prepared=false")) return std::nullopt;
  }
  return split;
}

bool is_postgresql_url(const std::string& url) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(url.c_str(), nullptr),
                                                                             &PQconninfoFree);
  if (!options) return false;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (std::string_view(option->keyword) == "port" && option->val != nullptr && !are_ports(option->val)) return false;
  }
  return true;
}

}  // namespace call_service::db
