#include "services/jwks_service.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "log.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;

constexpr Seconds ask_pause{60};  // so that made-up key ids cannot make us a burden to the identity provider
constexpr Seconds longest_wait{3};

}  // namespace

JwksService::JwksService(const Clock& clock, std::function<void()> wake) : clock_(clock), wake_(std::move(wake)) {}

std::shared_ptr<const jose::KeySet> JwksService::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

Task<void> JwksService::refresh() {
  const auto executor = co_await asio::this_coro::executor;
  const auto timer = std::make_shared<Timer>(executor, longest_wait);
  Need need = Need::nothing;
  {
    const std::lock_guard lock(mutex_);
    need = what_is_needed(clock_.now());
    if (need != Need::nothing) waiters_.push_back({executor, timer});
  }
  if (need == Need::nothing) co_return;
  if (need == Need::wake_and_wait) wake_();
  co_await timer->async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
}

JwksService::Need JwksService::what_is_needed(Timestamp now) {
  if (under_way_) return Need::wait;
  // A clock that was set back does not count.
  if (last_asked_at_ && now >= *last_asked_at_ && now - *last_asked_at_ < ask_pause) return Need::nothing;
  last_asked_at_ = now;
  under_way_ = true;
  return Need::wake_and_wait;
}

void JwksService::begin() {
  const std::lock_guard lock(mutex_);
  under_way_ = true;
}

void JwksService::end(std::expected<jose::KeySet, std::string> outcome) {
  const std::lock_guard lock(mutex_);
  log_change(outcome);
  if (outcome) {
    keys_ = std::make_shared<jose::KeySet>(std::move(*outcome));
    fetched_at_ = clock_.now();
    last_error_.reset();
  } else {
    last_error_ = std::move(outcome.error());
  }
  under_way_ = false;
  release_waiters();
}

// Each on its own thread: a timer that is gone by then has run out.
void JwksService::release_waiters() {
  for (const Waiter& waiter : std::exchange(waiters_, {})) {
    asio::post(waiter.executor, [timer = waiter.timer] {
      if (const auto waiting = timer.lock()) waiting->cancel();
    });
  }
}

void JwksService::log_change(const std::expected<jose::KeySet, std::string>& outcome) const {
  if (!outcome) {
    if (last_error_ != outcome.error()) {
      log::warning("jwks_failing", {{"error", outcome.error()}, {"keys_kept", keys_->size()}});
    }
    return;
  }
  if (!fetched_at_ || last_error_ || outcome->size() != keys_->size())
    log::info("jwks_read", {{"keys", outcome->size()}});
  if (outcome->refusals() == keys_->refusals()) return;
  for (const std::string& refusal : outcome->refusals()) log::warning("jwks_key_not_used", {{"reason", refusal}});
}

JwksService::Snapshot JwksService::snapshot() const {
  const std::lock_guard lock(mutex_);
  return {.keys = keys_->size(), .fetched_at = fetched_at_, .last_error = last_error_};
}

}  // namespace call_service::services
