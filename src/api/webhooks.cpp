#include "api/handlers.hpp"
#include "livekit/webhook_event.hpp"
#include "log.hpp"

namespace call_service::api {

Answer<schemas::WebhookResponse> receive_livekit_webhook(Services& services, http::Request* request) {
  auto event = livekit::parse_webhook_event(request->body);
  if (!event) {
    // Signed by LiveKit, so not an attack, and it will not get better by being sent again.
    log::warning("webhook_malformed", {{"error", event.error()}});
    co_return Reply<schemas::WebhookResponse>{.body = {.result = "ignored"}};
  }
  const auto result = co_await services.webhooks.apply(std::move(*event));
  co_return Reply<schemas::WebhookResponse>{.body = {.result = std::string(services::name_of(result))}};
}

}  // namespace call_service::api
