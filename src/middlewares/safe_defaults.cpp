#include "middlewares/safe_defaults.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "http/text.hpp"

namespace call_service::middlewares {

namespace {

void add_default(http::Response& response, std::string_view name, std::string_view value) {
  const bool has_own = std::ranges::any_of(
      response.headers, [&](const http::Header& header) { return http::equal_ignoring_case(header.first, name); });
  if (!has_own) response.headers.emplace_back(name, value);
}

}  // namespace

void add_safe_defaults(http::Response& response) {
  add_default(response, "Cache-Control", "no-store");
  add_default(response, "X-Content-Type-Options", "nosniff");
}

}  // namespace call_service::middlewares
