#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace call_service::db {

// The file of `sqlite:///relative` or `sqlite:////absolute`; nullopt for any other URL.
std::optional<std::string> sqlite_path(std::string_view url);

// Whether libpq can read a `postgresql://…` URL and every port in it is one.
bool is_postgresql_url(const std::string& url);

}  // namespace call_service::db
