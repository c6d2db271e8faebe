#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "base/time.hpp"
#include "database/repositories/lease_repository.hpp"
#include "database/repositories/revision_repository.hpp"
#include "services/jwks_service.hpp"
#include "services/livekit_health.hpp"
#include "services/webhook_history.hpp"

namespace call_service::services {

// What an operator wants to know of a running service.
struct Readiness {
  std::optional<std::string> database_fault{};
  std::optional<std::string> schema_fault{};
  bool livekit_reachable = false;
  WebhookHistory::Snapshot webhooks{};
  std::optional<JwksService::Snapshot> jwks{};  // with AUTH_JWKS_URL only
  bool nobody_can_authenticate = false;         // no key was ever read, and there is no other kind of credential

  // LiveKit and webhooks are shown but do not make the service unready: calls can be started and ended without them.
  // So are keys that cannot be read anew, as long as somebody can authenticate.
  bool ready() const { return !database_fault && !schema_fault && !nobody_can_authenticate; }
};

// Safe on any serving thread.
class ReadinessService {
 public:
  struct Jwks {
    const JwksService* service = nullptr;  // nullptr without AUTH_JWKS_URL
    bool is_only_credential = false;
  };

  struct Schema {
    repositories::RevisionRepository& revisions;
    std::vector<std::string> needed;  // by this program
  };

  ReadinessService(repositories::LeaseRepository& leases, const Clock& clock, Schema schema,
                   const LivekitHealth& livekit, const WebhookHistory& webhooks, Jwks jwks);

  // Asks the database for the revisions that this program needs, and writes the row `readiness` of `leases`, once at a
  // time on each thread: a change of nothing would not be committed, which may be what the database cannot do. Does not
  // throw.
  Task<Readiness> check();

 private:
  struct Check;

  Task<Readiness> ask();
  Task<std::optional<std::string>> schema_fault();

  repositories::LeaseRepository& leases_;
  const Clock& clock_;
  const Schema schema_;
  const LivekitHealth& livekit_;
  const WebhookHistory& webhooks_;
  const Jwks jwks_;
};

}  // namespace call_service::services
