#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/task.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/repositories/lease_repository.hpp"

namespace call_service::services {

// Work that one replica at a time does for all: the lease is renewed each second and taken over by another 5 s after
// the last time. It keeps replicas from doing the same work twice; correctness never depends on it. Runs on one
// io_context.
class Lease {
 public:
  // `owner`: this process; nullopt: there is no other, so nobody is asked. `wanted`: whether this process can do the
  // work; who cannot leaves it to others.
  Lease(Executor executor, repositories::LeaseRepository& leases, std::string name, std::optional<Uuid> owner,
        const Clock& clock, std::function<bool()> wanted);

  // Takes and renews it until stop(), then gives it back. Never throws.
  Task<void> run();
  void stop();

  bool is_held() const { return std::chrono::steady_clock::now() < held_until_; }

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  Task<void> take_or_leave();
  Task<void> take();
  Task<void> give_back();
  models::Lease row() const;

  repositories::LeaseRepository& leases_;
  const std::string name_;
  const Clock& clock_;
  const std::optional<Uuid> owner_;
  const std::function<bool()> wanted_;
  Timer timer_;
  SteadyTime held_until_ = SteadyTime::min();
  bool stopping_ = false;
};

}  // namespace call_service::services
