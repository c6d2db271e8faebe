#pragma once

#include <functional>
#include <string>

#include "base/task.hpp"
#include "base/time.hpp"
#include "database/repositories/call_repository.hpp"
#include "livekit/webhook_event.hpp"
#include "log.hpp"
#include "services/call_rules.hpp"
#include "services/call_turns.hpp"

namespace call_service::services {

enum class WebhookResult { applied, duplicate, ignored };
std::string_view name_of(WebhookResult result);

// Takes LiveKit's observations into the record. Never calls an operation of the API, and never LiveKit. Safe on any
// serving thread. Throws db::Unavailable: then the event is not stored, and LiveKit must send it again.
class WebhookService {
 public:
  // `wake_outbox`: something was written that LiveKit has to hear of. `room_lost`: the call's room is finished, and the
  // call waits for somebody who is on the way. Both are safe on any thread.
  WebhookService(repositories::CallRepository& calls, CallTurns& turns, const Clock& clock,
                 std::function<void()> wake_outbox, std::function<void(Uuid)> room_lost);

  // Completes after the commit that stored the event and what it changed.
  Task<WebhookResult> apply(livekit::WebhookEvent event, log::Origin origin);

  // Signed by LiveKit, but not as LiveKit writes: it will not get better by being sent again.
  static WebhookResult ignore_malformed(std::string_view why, const log::Origin& origin);

 private:
  Task<WebhookResult> apply_if_ours(livekit::WebhookEvent event, log::Origin origin);
  Task<WebhookResult> apply_to_call(Uuid call_id, livekit::WebhookEvent event, log::Origin origin);
  Task<Timestamp> pace_deletion(const repositories::CallState& state, const livekit::WebhookEvent& event,
                                rules::Changes& decided, Timestamp now);

  repositories::CallRepository& calls_;
  CallTurns& turns_;
  const Clock& clock_;
  std::function<void()> wake_outbox_;
  std::function<void(Uuid)> room_lost_;
};

}  // namespace call_service::services
