#include "services/call_turns.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "database/errors.hpp"

namespace call_service::services {

namespace asio = boost::asio;

// The timer is deadline and wake-up in one, as in db::Engine: it belongs to the waiting thread.
struct CallTurns::Waiter {
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

  Executor executor;
  Timer timer;
  bool called = false;     // guarded by the turns' mutex
  bool abandoned = false;  // guarded by the turns' mutex
};

Task<CallTurns::Turn> CallTurns::take(Uuid call_id, std::chrono::steady_clock::time_point deadline) {
  const auto executor = co_await asio::this_coro::executor;
  std::shared_ptr<Waiter> waiter;
  {
    const std::lock_guard lock(mutex_);
    const auto [queue, is_free] = queues_.try_emplace(call_id);
    if (!is_free) {
      waiter = std::make_shared<Waiter>(executor, Waiter::Timer(executor, deadline));
      queue->second.push_back(waiter);
    }
  }
  if (waiter == nullptr) co_return Turn(*this, call_id);

  co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  {
    const std::lock_guard lock(mutex_);
    if (!waiter->called) {
      waiter->abandoned = true;
      throw db::Unavailable("too many events for one call at once");
    }
  }
  co_return Turn(*this, call_id);
}

void CallTurns::pass_on(const Uuid& call_id) {
  const std::lock_guard lock(mutex_);
  const auto queue = queues_.find(call_id);
  while (!queue->second.empty()) {
    const auto next = std::move(queue->second.front());
    queue->second.pop_front();
    if (next->abandoned) continue;
    next->called = true;
    asio::post(next->executor, [next] { next->timer.cancel(); });
    return;
  }
  queues_.erase(queue);
}

}  // namespace call_service::services
