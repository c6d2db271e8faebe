#include "middlewares/webhook_authorization.hpp"

namespace call_service::middlewares {

namespace {

std::vector<livekit::ApiKey> signers_of(const Config& config) {
  std::vector<livekit::ApiKey> signers{{config.livekit_api_key, config.livekit_webhook_secret}};
  if (config.livekit_webhook_api_key)
    signers.push_back({*config.livekit_webhook_api_key, config.livekit_webhook_secret});
  for (const auto& pair : config.livekit_webhook_extra_keys) signers.push_back({pair.key, pair.secret});
  return signers;
}

}  // namespace

WebhookAuthorization::WebhookAuthorization(const Config& config, const Clock& clock, services::WebhookHistory& history)
    : verifier_(signers_of(config)), clock_(clock), history_(history) {}

std::optional<livekit::WebhookRejection> WebhookAuthorization::refuse(const http::Request& request) {
  const std::string* authorization = request.header("Authorization");
  const Timestamp now = clock_.now();
  const auto verified = authorization != nullptr && request.header_count("Authorization") == 1
                            ? verifier_.verify(*authorization, request.body, now)
                            : std::unexpected(livekit::WebhookRejection::signature);
  if (verified) {
    history_.accepted(now);
    return std::nullopt;
  }
  history_.rejected(now, verified.error());
  return verified.error();
}

}  // namespace call_service::middlewares
