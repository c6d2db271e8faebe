#include "middlewares/webhook_authorization.hpp"

#include "metrics.hpp"

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

std::expected<std::string, livekit::WebhookRejection> WebhookAuthorization::authorize(const http::Request& request) {
  const std::string* authorization = request.header("Authorization");
  const Timestamp now = clock_.now();
  std::expected<std::string, livekit::WebhookRejection> hash = std::unexpected(livekit::WebhookRejection::signature);
  if (authorization != nullptr && request.header_count("Authorization") == 1) {
    hash = verifier_.verify_token(*authorization, now);
  }
  if (!hash) rejected(now, hash.error());
  return hash;
}

bool WebhookAuthorization::accept(const std::string& hash, const http::Request& request) {
  const Timestamp now = clock_.now();
  const bool accepted = livekit::WebhookVerifier::is_hash_of(hash, request.body);
  if (accepted) {
    history_.accepted(now);
    metrics::series().webhook_last_accepted.set(std::chrono::duration<double>(now.time_since_epoch()).count());
  } else {
    rejected(now, livekit::WebhookRejection::hash);
  }
  return accepted;
}

void WebhookAuthorization::rejected(Timestamp now, livekit::WebhookRejection why) {
  history_.rejected(now, why);
  metrics::series().webhooks_rejected.add({name_of(why)});
}

}  // namespace call_service::middlewares
