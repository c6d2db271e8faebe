#include "services/retention.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "database/repositories/call_repository.hpp"
#include "log.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;
using repositories::ErasableCall;

constexpr int page = 100;
constexpr std::int64_t rows_a_step = 2'000;
constexpr Milliseconds pause_between_steps{50};
constexpr Seconds pause_between_sweeps{60};

// As many as make a step, but at least one.
std::vector<Uuid> one_step(const std::vector<ErasableCall>& calls) {
  std::vector<Uuid> ids;
  std::int64_t rows = 0;
  for (const auto& call : calls) {
    rows += call.rows;
    if (!ids.empty() && rows > rows_a_step) break;
    ids.push_back(call.call_id);
  }
  return ids;
}

}  // namespace

Retention::Retention(Executor executor, repositories::RetentionRepository& calls, Seconds kept_for, const Clock& clock)
    : calls_(calls), kept_for_(kept_for), clock_(clock), timer_(executor) {}

void Retention::stop() {
  stopping_ = true;
  timer_.cancel();
}

Task<void> Retention::run() {
  if (kept_for_.count() == 0) co_return;
  while (!stopping_) {
    try {
      co_await sweep();
    } catch (const std::exception& error) {
      log::warning("retention_waits_for_database", {{"error", error.what()}});
    }
    co_await pause(pause_between_sweeps);
  }
}

// Goes on behind what it looked at, so that what cannot be erased yet is not read again and again.
Task<void> Retention::sweep() {
  const Timestamp before = clock_.now() - kept_for_;
  repositories::Erased erased;
  Timestamp after = repositories::first_moment;
  Uuid after_id;
  while (!stopping_) {
    const auto calls = co_await calls_.find(before, after, after_id, page);
    if (calls.empty()) break;
    const auto ids = one_step(calls);
    const auto& last = calls[ids.size() - 1];
    after = last.ended_at;
    after_id = last.call_id;
    const auto step = co_await erase(ids, before);
    erased.calls += step.calls;
    erased.users += step.users;
    co_await pause(pause_between_steps);
  }
  if (erased.calls == 0) co_return;
  log::info("calls_erased", {{"calls", static_cast<std::int64_t>(erased.calls)},
                             {"users", static_cast<std::int64_t>(erased.users)},
                             {"ended_before", format_timestamp(before)},
                             {"cause", "timer"}});
}

// What cannot be erased now, as somebody has locked it, keeps nothing else from it.
Task<repositories::Erased> Retention::erase(std::vector<Uuid> ids, Timestamp before) {
  try {
    co_return co_await calls_.erase(ids, before);
  } catch (const std::exception& error) {
    log::warning("calls_not_erased", {{"call_id", ids.front()}, {"error", error.what()}});
  }
  co_return repositories::Erased{};
}

Task<void> Retention::pause(Milliseconds length) {
  if (stopping_) co_return;
  timer_.expires_after(length);
  co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
}

}  // namespace call_service::services
