#include "services/lease.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "database/repositories/claim.hpp"
#include "log.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr Seconds turn_length{1};
constexpr Seconds lease_length = repositories::longest_lease;
constexpr Seconds held_length{4};  // who cannot renew it stops before another begins

}  // namespace

Lease::Lease(Executor executor, repositories::LeaseRepository& leases, std::string name, std::optional<Uuid> owner,
             const Clock& clock, std::function<bool()> wanted)
    : leases_(leases),
      name_(std::move(name)),
      clock_(clock),
      owner_(owner),
      wanted_(std::move(wanted)),
      timer_(executor) {}

void Lease::stop() {
  stopping_ = true;
  timer_.cancel();
}

models::Lease Lease::row() const {
  const Timestamp now = clock_.now();
  return {.name = name_, .owner = *owner_, .renewed_at = now, .until = now + lease_length};
}

Task<void> Lease::run() {
  if (!owner_) {
    held_until_ = SteadyTime::max();
    co_return;
  }
  while (!stopping_) {
    try {
      co_await take_or_leave();
    } catch (const std::exception& error) {
      log::warning("lease_not_renewed", {{"lease", name_}, {"error", error.what()}});
    }
    if (stopping_) break;
    timer_.expires_after(turn_length);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
  if (is_held()) co_await give_back();
}

Task<void> Lease::take_or_leave() {
  if (wanted_()) {
    co_await take();
  } else if (is_held()) {
    co_await give_back();
  }
}

Task<void> Lease::take() {
  const auto asked = steady_clock::now();
  const bool was_held = is_held();
  const bool taken = co_await leases_.take(row());
  held_until_ = taken ? asked + held_length : SteadyTime::min();
  if (taken && !was_held) log::info("lease_taken", {{"lease", name_}});
}

Task<void> Lease::give_back() {
  held_until_ = SteadyTime::min();
  try {
    co_await leases_.release(row());
  } catch (const std::exception& error) {
    log::warning("lease_not_given_back", {{"lease", name_}, {"error", error.what()}});
  }
}

}  // namespace call_service::services
