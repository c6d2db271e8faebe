#include "api/handlers.hpp"
#include "livekit/webhook_event.hpp"

namespace call_service::api {

Answer<schemas::WebhookResponse> receive_livekit_webhook(Services& services, http::Request* request,
                                                         log::Origin origin) {
  auto event = livekit::parse_webhook_event(request->body);
  const auto result = event ? co_await services.webhooks.apply(std::move(*event), origin)
                            : services.webhooks.ignore_malformed(event.error(), origin);
  co_return Reply<schemas::WebhookResponse>{.body = {.result = std::string(services::name_of(result))}};
}

}  // namespace call_service::api
