#pragma once

#include <boost/asio/steady_timer.hpp>

#include "base/task.hpp"
#include "base/time.hpp"
#include "database/repositories/statistics_repository.hpp"

namespace call_service::services {

// Counts every 2 s what is open in the database, for the metrics, and less often where that takes long: a scrape never
// asks the database, so it is answered at once whatever happens there. While the database is away the counts are left
// out and database_up is 0. Runs on one io_context.
class OpenCounter {
 public:
  OpenCounter(Executor executor, repositories::StatisticsRepository& statistics, const Clock& clock);

  // Until stop(). Never throws.
  Task<void> run();
  void stop();

 private:
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  Task<void> turn();

  repositories::StatisticsRepository& statistics_;
  const Clock& clock_;
  Timer timer_;
  bool stopping_ = false;
};

}  // namespace call_service::services
