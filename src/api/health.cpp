#include "api/handlers.hpp"
#include "api/present.hpp"
#include "metrics.hpp"

namespace call_service::api {

Answer<schemas::HealthResponse> get_health(Services&) {
  co_return Reply<schemas::HealthResponse>{.body = {}};
}

Answer<schemas::ReadyResponse> get_readiness(Services& services) {
  const auto readiness = co_await services.readiness.check();
  co_return Reply<schemas::ReadyResponse>{.body = ready_response(readiness), .status = readiness.ready() ? 200 : 503};
}

Answer<Content> get_metrics(Services&) {
  co_return Reply<Content>{.body = {.type = std::string(metrics::content_type), .bytes = metrics::render()}};
}

}  // namespace call_service::api
