#include "services/readiness_service.hpp"

#include "database/errors.hpp"
#include "log.hpp"

namespace call_service::services {

ReadinessService::ReadinessService(repositories::UserRepository& users, const LivekitHealth& livekit,
                                   const WebhookHistory& webhooks)
    : users_(users), livekit_(livekit), webhooks_(webhooks) {}

Task<Readiness> ReadinessService::check() {
  Readiness readiness{.livekit_reachable = livekit_.reachable, .webhooks = webhooks_.snapshot()};
  const std::string nobody;
  try {
    co_await users_.find(nobody);
  } catch (const db::Unavailable& error) {
    log::warning("not_ready", {{"error", error.what()}});
    readiness.database_fault = "the database does not answer";
  } catch (const db::StatementFailed& error) {
    log::warning("not_ready", {{"error", error.what()}});
    readiness.schema_fault = "the tables are missing or not as expected: run call-service migrate upgrade";
  }
  co_return readiness;
}

}  // namespace call_service::services
