#pragma once

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "base/task.hpp"

namespace call_service {

template <typename Work>
class AtOnce {
 public:
  AtOnce(Executor executor, std::size_t count, std::size_t width, Work& work)
      : executor_(executor),
        all_done_(executor, Timer::time_point::max()),
        work_(work),
        count_(count),
        running_(std::min(count, width)) {}

  Task<void> run() {
    namespace asio = boost::asio;
    for (std::size_t i = running_; i > 0; --i) {
      asio::co_spawn(executor_, take_on(), [this](const std::exception_ptr& error) { finish(error); });
    }
    while (running_ > 0) co_await all_done_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  Task<void> take_on() {
    while (next_ < count_) co_await work_(next_++);
  }

  void finish(const std::exception_ptr& error) {
    if (error) {
      failure_ = error;
      next_ = count_;
    }
    if (--running_ == 0) all_done_.cancel();
  }

  Executor executor_;
  Timer all_done_;
  Work& work_;
  std::size_t count_;
  std::size_t next_ = 0;
  std::size_t running_;
  std::exception_ptr failure_;
};

// Runs `work(i)`, a Task<void>, for every i below `count`, at most `width` of them at once, all on the caller's
// executor. Completes when none runs any more. An exception keeps the rest from being begun and is thrown on.
template <typename Work>
Task<void> at_once(std::size_t count, std::size_t width, Work& work) {
  AtOnce<Work> all(co_await boost::asio::this_coro::executor, count, width, work);
  co_await all.run();
}

}  // namespace call_service
