#pragma once

#include <memory>

#include "api/route.hpp"
#include "base/time.hpp"
#include "http/server.hpp"
#include "metrics.hpp"
#include "middlewares/authorization.hpp"
#include "middlewares/cors.hpp"
#include "middlewares/overload.hpp"
#include "middlewares/webhook_authorization.hpp"

namespace call_service::api {

// The way of a request: request id, route, CORS, room, credential, size and type of the body, the body, LiveKit's
// signature, the handler, the access log. One object for all threads; what belongs to a request is in its exchange.
class Application final : public http::Application {
 public:
  struct Parts {
    Services& services;
    const middlewares::Authorizer& authorizer;
    const middlewares::Cors& cors;
    middlewares::WebhookAuthorization& webhook_authorization;
    middlewares::Overload& overload;
    const Clock& clock;
    std::span<const Route> table = routes();
    std::vector<metrics::Route*> counts{};  // one a row of the table, then that of no route; filled in by Application
  };

  explicit Application(Parts parts);

  std::unique_ptr<http::Exchange> begin(http::Request& request) override;

 private:
  Parts parts_;
};

}  // namespace call_service::api
