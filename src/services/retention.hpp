#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "base/task.hpp"
#include "base/time.hpp"
#include "database/repositories/retention_repository.hpp"

namespace call_service::services {

// Erases ended calls that are older than the time they are kept, in steps so small that nobody waits for one. Replicas
// may do so at the same time. Runs on one io_context.
class Retention {
 public:
  // `kept_for` 0: for ever, there is nothing to do.
  Retention(Executor executor, repositories::RetentionRepository& calls, Seconds kept_for, const Clock& clock);

  // Until stop(). Never throws.
  Task<void> run();
  void stop();

 private:
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  Task<void> sweep();
  Task<repositories::Erased> erase(std::vector<Uuid> ids, Timestamp before);
  Task<void> pause(Milliseconds length);

  repositories::RetentionRepository& calls_;
  const Seconds kept_for_;
  const Clock& clock_;
  Timer timer_;
  bool stopping_ = false;
};

}  // namespace call_service::services
