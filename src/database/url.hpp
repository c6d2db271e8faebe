#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace call_service::db {

// The file of `sqlite:///relative` or `sqlite:////absolute`; nullopt for any other URL.
std::optional<std::string> sqlite_path(std::string_view url);

}  // namespace call_service::db
