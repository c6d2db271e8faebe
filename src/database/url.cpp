#include "database/url.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <ranges>

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
