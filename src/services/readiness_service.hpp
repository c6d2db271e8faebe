#pragma once

#include <optional>
#include <string>

#include "base/task.hpp"
#include "base/time.hpp"
#include "database/repositories/user_repository.hpp"
#include "services/outbox_worker.hpp"
#include "services/webhook_history.hpp"

namespace call_service::services {

// What an operator wants to know of a running service.
struct Readiness {
  std::optional<std::string> database_fault{};
  std::optional<std::string> schema_fault{};
  bool livekit_reachable = false;
  WebhookHistory::Snapshot webhooks{};

  // LiveKit and webhooks are shown but do not make the service unready: calls can be started and ended without them.
  bool ready() const { return !database_fault && !schema_fault; }
};

// Safe on any serving thread.
class ReadinessService {
 public:
  ReadinessService(repositories::UserRepository& users, const LivekitHealth& livekit, const WebhookHistory& webhooks);

  // Asks the database, with a read of one of our tables. Does not throw.
  Task<Readiness> check();

 private:
  repositories::UserRepository& users_;
  const LivekitHealth& livekit_;
  const WebhookHistory& webhooks_;
};

}  // namespace call_service::services
