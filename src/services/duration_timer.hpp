#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "base/task.hpp"
#include "base/time.hpp"
#include "database/repositories/call_repository.hpp"

namespace call_service::services {

// Ends calls that have lasted as long as a call may. When a call is due follows from its start, so restarts change
// nothing and every replica may look; the call's version lets one of them end it. Concludes from no silence, so LiveKit
// is not asked. Runs on one io_context.
class DurationTimer {
 public:
  // `longest` 0: there is nothing to do. `wake_outbox` is called when a room is to be deleted.
  DurationTimer(Executor executor, repositories::CallRepository& calls, Seconds longest, const Clock& clock,
                std::function<void()> wake_outbox);

  // Until stop(). Never throws.
  Task<void> run();
  void stop();

 private:
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  // Ends what is due; returns how long nothing else can be.
  Task<Milliseconds> turn();
  Task<void> end(repositories::RunningCall call);

  repositories::CallRepository& calls_;
  const Seconds longest_;
  const Clock& clock_;
  std::function<void()> wake_outbox_;
  Timer timer_;
  bool stopping_ = false;
};

}  // namespace call_service::services
