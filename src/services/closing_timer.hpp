#pragma once

#include <boost/asio/steady_timer.hpp>

#include "base/task.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/repositories/call_repository.hpp"
#include "livekit/room_service_client.hpp"
#include "services/outbox_worker.hpp"

namespace call_service::services {

// Ends calls whose room is finished and for whom nobody came in time (calls.closes_at; the timer itself is in the
// database). Asks LiveKit first: a room that is there keeps the call, no answer postpones. Runs on one io_context.
class ClosingTimer {
 public:
  ClosingTimer(Executor executor, repositories::CallRepository& calls, livekit::RoomServiceClient& livekit,
               const LivekitHealth& health, const Clock& clock);

  // Until stop(). Never throws.
  Task<void> run();
  void stop();

 private:
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  Task<void> turn();
  Task<void> close(Uuid call_id, bool room_is_there);

  repositories::CallRepository& calls_;
  livekit::RoomServiceClient& livekit_;
  const LivekitHealth& health_;
  const Clock& clock_;
  Timer timer_;
  bool stopping_ = false;
};

}  // namespace call_service::services
