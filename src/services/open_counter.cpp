#include "services/open_counter.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "log.hpp"
#include "metrics.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;

constexpr Seconds shortest_pause{2};
constexpr int pause_factor = 50;  // counting takes 2 % of the time at most

void show(const repositories::OpenCounts& counts, Timestamp now) {
  auto& series = metrics::series();
  const std::chrono::duration<double> age = now - std::min(now, counts.oldest_intent.value_or(now));
  series.calls_active.set(static_cast<double>(counts.active_calls));
  series.sessions_pending.set(static_cast<double>(counts.pending_sessions));
  series.sessions_active.set(static_cast<double>(counts.active_sessions));
  series.outbox_intents.set(static_cast<double>(counts.intents));
  series.outbox_oldest_age.set(age.count());
  series.database_up.set(1);
}

void show_nothing() {
  auto& series = metrics::series();
  series.database_up.set(0);
  for (auto* gauge : {&series.calls_active, &series.sessions_pending, &series.sessions_active, &series.outbox_intents,
                      &series.outbox_oldest_age}) {
    gauge->clear();
  }
}

}  // namespace

OpenCounter::OpenCounter(Executor executor, repositories::StatisticsRepository& statistics, const Clock& clock)
    : statistics_(statistics), clock_(clock), timer_(executor) {}

void OpenCounter::stop() {
  stopping_ = true;
  timer_.cancel();
}

Task<void> OpenCounter::run() {
  while (!stopping_) {
    auto pause = std::chrono::steady_clock::duration(shortest_pause);
    try {
      const auto began = std::chrono::steady_clock::now();
      co_await turn();
      pause = std::max(pause, (std::chrono::steady_clock::now() - began) * pause_factor);
    } catch (const std::exception& error) {
      log::warning("open_calls_not_counted", {{"error", error.what()}});
      show_nothing();
    }
    if (stopping_) break;
    timer_.expires_after(pause);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
}

Task<void> OpenCounter::turn() {
  const auto counts = co_await statistics_.count_open(clock_.now());
  show(counts, clock_.now());
}

}  // namespace call_service::services
