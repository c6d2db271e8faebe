#include "database/url.hpp"

namespace call_service::db {

std::optional<std::string> sqlite_path(std::string_view url) {
  constexpr std::string_view kPrefix = "sqlite:///";
  if (!url.starts_with(kPrefix) || url.size() == kPrefix.size()) return std::nullopt;
  return std::string(url.substr(kPrefix.size()));
}

}  // namespace call_service::db
