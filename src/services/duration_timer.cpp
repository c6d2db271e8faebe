#include "services/duration_timer.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "log.hpp"
#include "services/call_changes.hpp"
#include "services/call_timeline.hpp"
#include "services/domain_log.hpp"
#include "services/side_by_side.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;

constexpr int page = 64;
// A clock that is set forward, or a database that comes back, is noticed after this.
constexpr Milliseconds longest_sleep{1000};

}  // namespace

DurationTimer::DurationTimer(Executor executor, repositories::CallRepository& calls, Seconds longest,
                             const Clock& clock, std::function<void()> wake_outbox)
    : calls_(calls), longest_(longest), clock_(clock), wake_outbox_(std::move(wake_outbox)), timer_(executor) {}

void DurationTimer::stop() {
  stopping_ = true;
  timer_.cancel();
}

Task<void> DurationTimer::run() {
  if (longest_.count() == 0) co_return;
  while (!stopping_) {
    auto pause = longest_sleep;
    try {
      pause = co_await turn();
    } catch (const std::exception& error) {
      log::warning("duration_timer_waits_for_database", {{"error", error.what()}});
    }
    if (stopping_) break;
    timer_.expires_after(pause);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
}

Task<Milliseconds> DurationTimer::turn() {
  const Timestamp now = clock_.now();
  const auto calls = co_await calls_.running_since(now - longest_ + longest_sleep, page);
  std::vector<repositories::RunningCall> due;
  auto pause = longest_sleep;
  for (const auto& call : calls) {
    const Timestamp end = call.started_at + longest_;
    if (end <= now) {
      due.push_back(call);
    } else {
      pause = std::min(pause, end - now);
    }
  }
  const bool is_whole_page = due.size() == page;
  std::size_t done = 0;
  auto work = [this, &done](repositories::RunningCall call) -> Task<void> {
    co_await end(call);
    ++done;
  };
  co_await side_by_side(std::move(due), work,
                        [](const std::string& why) { log::warning("call_not_ended_by_timer", {{"error", why}}); });
  co_return is_whole_page&& done > 0 ? Milliseconds(0) : std::max(pause, Milliseconds(1));
}

// A lost guard needs no care: the call is still due at the next turn, unless somebody else has ended it.
Task<void> DurationTimer::end(repositories::RunningCall call) {
  const auto state = co_await calls_.load_state({.call_id = call.call_id, .all_open = true});
  if (!state || !state->call.is_active()) co_return;
  const Timestamp now = clock_.now();
  auto decided = rules::expire(*state, call.started_at + longest_, now);
  auto change = change_of(*state, decided, {.cause = "timer", .now = now});
  if (!co_await calls_.apply(std::move(change))) co_return;
  wake_outbox_();
  tell_changes(*state, decided.call, decided.sessions, {.name = "timer"});
}

}  // namespace call_service::services
