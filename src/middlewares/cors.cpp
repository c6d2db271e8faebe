#include "middlewares/cors.hpp"

#include <algorithm>
#include <utility>

#include "base/ranges.hpp"

namespace call_service::middlewares {

namespace {

constexpr std::string_view exposed = "X-Request-Id, Location, Retry-After, Allow, WWW-Authenticate";
constexpr std::string_view allowed_headers =
    "Authorization, Content-Type, X-API-Key, X-Request-Id, Traceparent, Tracestate";
constexpr std::string_view all_methods = "GET, HEAD, POST, PUT, PATCH, DELETE";

}  // namespace

Cors::Cors(std::vector<std::string> origins) : origins_(std::move(origins)), any_(contains(origins_, "*")) {}

const std::string* Cors::allowed_origin(const http::Request& request) const {
  const std::string* origin = request.header("Origin");
  if (origin == nullptr || request.header_count("Origin") != 1) return nullptr;
  return any_ || contains(origins_, *origin) ? origin : nullptr;
}

std::optional<http::Response> Cors::preflight(const http::Request& request, std::string_view methods) const {
  const bool is_preflight = request.method == http::Method::options && request.header("Origin") != nullptr &&
                            request.header("Access-Control-Request-Method") != nullptr;
  if (!is_preflight || origins_.empty()) return std::nullopt;
  http::Response response{.status = 204, .content_type = ""};
  if (allowed_origin(request) != nullptr) {
    response.headers.emplace_back("Access-Control-Allow-Methods", std::string(methods.empty() ? all_methods : methods));
    response.headers.emplace_back("Access-Control-Allow-Headers", allowed_headers);
    response.headers.emplace_back("Access-Control-Max-Age", "600");
  }
  return response;
}

void Cors::decorate(const http::Request& request, http::Response& response) const {
  if (origins_.empty()) return;
  // A cache must not give one origin's answer to another, nor one without these headers to anybody.
  const std::string* origin = allowed_origin(request);
  if (!any_) response.headers.emplace_back("Vary", "Origin");
  if (!any_ && origin == nullptr) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", any_ ? "*" : *origin);
  response.headers.emplace_back("Access-Control-Expose-Headers", exposed);
}

}  // namespace call_service::middlewares
