#pragma once

#include <functional>
#include <string>

#include "base/task.hpp"
#include "base/time.hpp"
#include "database/repositories/call_repository.hpp"
#include "livekit/webhook_event.hpp"
#include "services/call_turns.hpp"

namespace call_service::services {

enum class WebhookResult { applied, duplicate, ignored };
std::string_view name_of(WebhookResult result);

// Takes LiveKit's observations into the record. Never calls an operation of the API, and never LiveKit. Safe on any
// serving thread. Throws db::Unavailable: then the event is not stored, and LiveKit must send it again.
class WebhookService {
 public:
  WebhookService(repositories::CallRepository& calls, const Clock& clock, std::function<void()> wake_outbox);

  // Completes after the commit that stored the event and what it changed.
  Task<WebhookResult> apply(livekit::WebhookEvent event);

 private:
  Task<WebhookResult> apply_to_call(Uuid call_id, livekit::WebhookEvent event);

  repositories::CallRepository& calls_;
  CallTurns turns_;
  const Clock& clock_;
  std::function<void()> wake_outbox_;
};

}  // namespace call_service::services
