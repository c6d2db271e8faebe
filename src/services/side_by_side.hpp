#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/task.hpp"

namespace call_service::services {

// Runs `work(item)`, a Task<void>, for all items at once on this executor, and completes when the last is done: their
// commands share commits. What one of them throws is told to `failed`, as text, and stops none of the others. `work`
// must live until this completes.
template <typename Item, typename Work>
Task<void> side_by_side(std::vector<Item> items, Work& work, void (*failed)(const std::string& why)) {
  namespace asio = boost::asio;
  using Clock = std::chrono::steady_clock;
  using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;
  if (items.empty()) co_return;
  const auto executor = co_await asio::this_coro::executor;
  auto left = items.size();
  Timer all_done(executor, Timer::time_point::max());
  for (auto& item : items) {
    asio::co_spawn(executor, work(std::move(item)), [&left, &all_done, failed](const std::exception_ptr& error) {
      try {
        if (error) std::rethrow_exception(error);
      } catch (const std::exception& reason) {
        failed(reason.what());
      }
      if (--left == 0) all_done.cancel();
    });
  }
  if (left > 0) co_await all_done.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
}

}  // namespace call_service::services
