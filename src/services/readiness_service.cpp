#include "services/readiness_service.hpp"

#include "database/errors.hpp"
#include "log.hpp"

namespace call_service::services {

ReadinessService::ReadinessService(repositories::UserRepository& users, Schema schema, const LivekitHealth& livekit,
                                   const WebhookHistory& webhooks, Jwks jwks)
    : users_(users), schema_(std::move(schema)), livekit_(livekit), webhooks_(webhooks), jwks_(jwks) {}

Task<Readiness> ReadinessService::check() {
  Readiness readiness{.livekit_reachable = livekit_.reachable, .webhooks = webhooks_.snapshot()};
  if (jwks_.service != nullptr) {
    readiness.jwks = jwks_.service->snapshot();
    readiness.nobody_can_authenticate = jwks_.is_only_credential && readiness.jwks->keys == 0;
  }
  try {
    readiness.schema_fault = co_await schema_fault();
    co_await users_.check_writable();
  } catch (const db::Unavailable& error) {
    log::warning("not_ready", {{"error", error.what()}});
    readiness.database_fault = "the database does not answer, or takes no writes";
  } catch (const db::StatementFailed& error) {
    log::warning("not_ready", {{"error", error.what()}});
    readiness.schema_fault = "the tables are missing or not as expected: run call-service migrate upgrade";
  }
  co_return readiness;
}

// A migration may have been taken back since the start, where nobody is kept from it: on PostgreSQL.
Task<std::optional<std::string>> ReadinessService::schema_fault() {
  const auto missing = co_await schema_.revisions.missing(schema_.needed);
  if (missing.empty()) co_return std::nullopt;
  log::warning("not_ready", {{"error", "revision " + missing.front() + " is missing"}});
  co_return "revision " + missing.front() + " is missing: run call-service migrate upgrade";
}

}  // namespace call_service::services
