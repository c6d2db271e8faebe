#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <string>

#include "base/task.hpp"
#include "database/errors.hpp"

namespace call_service::services {

// Runs a command that may be run again, because it finds what it did by the ids that the service made for it. If its
// outcome is lost with the connection, it is run again until the database tells, for two seconds at most; then
// OutcomeUnknown is thrown. `attempt(again)` returns a Task<T>; it lives until this completes.
template <typename T, typename Attempt>
Task<T> until_known(Attempt& attempt) {
  namespace asio = boost::asio;
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::seconds(2);
  std::string lost;
  while (true) {
    try {
      co_return co_await attempt(!lost.empty());
    } catch (const db::OutcomeUnknown& error) {
      lost = error.what();
    } catch (const db::Unavailable&) {
      // Not even begun: that is an answer only to whoever has not begun before.
      if (lost.empty()) throw;
    }
    if (Clock::now() >= deadline) throw db::OutcomeUnknown(lost);
    asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> pause(co_await asio::this_coro::executor,
                                                                                std::chrono::milliseconds(100));
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
}

}  // namespace call_service::services
