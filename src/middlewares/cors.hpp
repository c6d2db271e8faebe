#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace call_service::middlewares {

// Cross-origin requests (Fetch standard, "CORS protocol"). Credentials travel in headers that the page sets, never as
// cookies, so Access-Control-Allow-Credentials is not sent. Immutable, safe on any thread.
class Cors {
 public:
  // `origins`: exact origins, or one "*"; empty: none.
  explicit Cors(std::vector<std::string> origins);

  // The answer to a preflight for a path with these methods ("GET, HEAD"; empty: there is nothing at the path); nothing
  // if the request is none, or if no origin is configured.
  std::optional<http::Response> preflight(const http::Request& request, std::string_view methods) const;

  // Adds to any response what the request's origin may see; with "*" to every response.
  void decorate(const http::Request& request, http::Response& response) const;

 private:
  const std::string* allowed_origin(const http::Request& request) const;

  std::vector<std::string> origins_;
  bool any_ = false;
};

}  // namespace call_service::middlewares
