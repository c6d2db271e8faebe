#include "api/application.hpp"

#include "api/exchange.hpp"

namespace call_service::api {

Application::Application(Parts parts) : parts_(std::move(parts)) {
  for (const Route& route : parts_.table) parts_.counts.push_back(&metrics::route(route.pattern));
  parts_.counts.push_back(&metrics::route("none"));
}

std::unique_ptr<http::Exchange> Application::begin(http::Request& request) {
  return std::make_unique<Exchange>(parts_, request);
}

}  // namespace call_service::api
