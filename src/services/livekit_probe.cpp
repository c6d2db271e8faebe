#include "services/livekit_probe.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "log.hpp"
#include "metrics.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr Milliseconds turn_length{250};
constexpr Seconds pause_while_works{10};  // so that /ready tells the truth of an idle service
constexpr Seconds pause_while_not{1};
// A request that waits so long brings up the question, which is given up when that request is: after 5 s in all an
// outage is known.
constexpr Milliseconds suspicious_wait{1'000};
constexpr Milliseconds patience{4'000};

void log_failure(const std::exception_ptr& error) {
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& reason) {
    log::warning("probe_failed", {{"error", reason.what()}});
  }
}

}  // namespace

LivekitProbe::LivekitProbe(Executor executor, livekit::RoomServiceClient& livekit, LivekitHealth& health)
    : executor_(executor), livekit_(livekit), health_(health), turn_(executor), verdict_(executor, SteadyTime::max()) {}

Task<void> LivekitProbe::run() {
  while (!stopping_) {
    if (is_due()) begin();
    turn_.expires_after(turn_length);
    co_await turn_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
}

void LivekitProbe::stop() {
  stopping_ = true;
  turn_.cancel();
  verdict_.cancel();
}

bool LivekitProbe::is_due() const {
  const auto now = steady_clock::now();
  if (begun_ == SteadyTime::min()) return true;
  if (!works()) return now >= begun_ + pause_while_not;
  if (now >= begun_ + pause_while_works) return true;
  const auto waiting = livekit_.waiting_since(suspicious_wait);
  return waiting && *waiting > begun_;
}

// Does not wait for the one before: that may hang in what is over.
void LivekitProbe::begin() {
  begun_ = steady_clock::now();
  asio::co_spawn(executor_, ask(begun_), [this, asked = begun_](const std::exception_ptr& error) {
    log_failure(error);
    if (error) settle(asked, Standing::unreachable, "the question could not be asked");
  });
}

Task<void> LivekitProbe::ask(SteadyTime asked) {
  const auto answer = co_await livekit_.probe(patience);
  settle(asked, standing_in(answer), answer ? std::string() : answer.error().what);
}

// A LiveKit that has other troubles than with us is worked with: what it refuses then, it refuses each time for itself.
LivekitProbe::Standing LivekitProbe::standing_in(const std::expected<void, livekit::ApiError>& answer) {
  if (answer) return Standing::works;
  if (answer.error().kind == livekit::ApiError::Kind::unreachable) return Standing::unreachable;
  return answer.error().refuses_us() ? Standing::refuses_us : Standing::works;
}

void LivekitProbe::settle(SteadyTime asked, Standing standing, const std::string& why) {
  settled_ = std::max(settled_, asked);
  if (standing != Standing::unreachable) answered_ = std::max(answered_, asked);
  if (standing == Standing::works) worked_ = std::max(worked_, asked);
  verdict_.cancel();
  // What a later question found out is newer, however late this one ends.
  const bool is_outdated = asked < answered_;
  if (!stopping_ && !is_outdated) livekit_is(standing, why);
}

void LivekitProbe::livekit_is(Standing standing, const std::string& why) {
  const bool reachable = standing != Standing::unreachable;
  metrics::series().livekit_reachable.set(reachable ? 1 : 0);
  health_.reachable = reachable;
  health_.accepts_us = standing == Standing::works;
  const Standing before = std::exchange(standing_, standing);
  if (standing == before) return;
  if (!reachable) {
    log::warning("livekit_unreachable", {{"error", why}});
    return;
  }
  if (before == Standing::unreachable) log::info("livekit_reachable");
  if (standing == Standing::refuses_us) {
    log::error("livekit_refuses_us", {{"error", why}});
    return;
  }
  if (before == Standing::refuses_us) log::info("livekit_accepts_us");
  if (told_works_) told_works_();
}

void LivekitProbe::doubt() {
  if (!stopping_ && settled_ == begun_) begin();
}

Task<bool> LivekitProbe::worked_since(SteadyTime asked) {
  if (!stopping_ && begun_ < asked) begin();
  while (!stopping_ && settled_ < asked) {
    co_await verdict_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
  co_return worked_ >= asked;
}

}  // namespace call_service::services
