#include "services/outbox_worker.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

#include "database/models/call.hpp"
#include "database/repositories/claim.hpp"
#include "log.hpp"
#include "metrics.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr std::size_t most_at_once = 32;
constexpr Seconds turn_length{1};
constexpr Seconds probe_pause{10};  // while LiveKit answers, so that /ready tells the truth of an idle service
constexpr Seconds lease_length = repositories::longest_lease;

void log_unexpected(std::string_view what, const std::exception_ptr& error) {
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& reason) {
    log::warning(what, {{"error", reason.what()}});
  }
}

}  // namespace

Milliseconds backoff(int attempts, double jitter) {
  const double doubled = 500.0 * static_cast<double>(1 << std::min(attempts, 6));
  constexpr double longest = Milliseconds(repositories::longest_pause).count();
  return Milliseconds(static_cast<std::int64_t>(std::min(doubled, longest) * (1.0 - 0.25 * jitter)));
}

OutboxWorker::OutboxWorker(Executor executor, repositories::OutboxRepository& outbox,
                           livekit::RoomServiceClient& livekit, LivekitHealth& health, const Clock& clock)
    : executor_(executor),
      outbox_(outbox),
      livekit_(livekit),
      health_(health),
      clock_(clock),
      owner_(make_uuid_v7(clock.now())),
      claim_timer_(executor),
      lease_timer_(executor),
      probe_timer_(executor),
      confirmed_(executor, SteadyTime::max()) {}

void OutboxWorker::wake() {
  asio::post(executor_, [this] { expect(steady_clock::now()); });
}

void OutboxWorker::expect(SteadyTime due) {
  if (due >= next_due_) return;
  next_due_ = due;
  claim_timer_.cancel();
}

void OutboxWorker::report_outage(const std::string& why) {
  if (!stopping_) livekit_is(false, why);
}

void OutboxWorker::stop() {
  stopping_ = true;
  for (Timer* timer : {&claim_timer_, &lease_timer_, &probe_timer_, &confirmed_}) timer->cancel();
}

Task<void> OutboxWorker::claim_loop() {
  while (!stopping_) {
    next_due_ = steady_clock::now() + turn_length;
    try {
      if (health_.can_be_asked()) co_await claim();
    } catch (const std::exception& error) {
      log::warning("outbox_waits_for_database", {{"error", error.what()}});
    }
    while (!stopping_ && steady_clock::now() < next_due_) {
      claim_timer_.expires_at(next_due_);
      co_await claim_timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
    }
  }
  try {
    co_await outbox_.release(owner_);
  } catch (const std::exception& error) {
    log::warning("outbox_leases_not_released", {{"error", error.what()}});
  }
}

Task<void> OutboxWorker::claim() {
  const auto room = most_at_once - std::min(most_at_once, under_way_.size());
  if (room == 0) co_return;
  const Timestamp now = clock_.now();
  auto intents = co_await outbox_.claim(owner_, now, now + lease_length, static_cast<int>(room));
  for (auto& intent : intents) {
    const Uuid id = intent.intent_id;
    // Its lease had run out while the database was away; it is still being carried out.
    if (!under_way_.insert(id).second) continue;
    asio::co_spawn(executor_, carry_out(std::move(intent)), [this, id](const std::exception_ptr& error) {
      // Its lease is not renewed any more, so it is due again when that has run out.
      log_unexpected("intent_not_settled", error);
      const bool was_full = under_way_.size() >= most_at_once;
      under_way_.erase(id);
      if (was_full) expect(steady_clock::now());
    });
  }
}

Task<void> OutboxWorker::lease_loop() {
  while (!stopping_) {
    try {
      co_await renew_leases();
    } catch (const std::exception& error) {
      log::warning("outbox_leases_not_renewed", {{"error", error.what()}});
    }
    if (stopping_) break;
    lease_timer_.expires_after(turn_length);
    co_await lease_timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
}

// Only of what is under way: what could not be settled must run out.
Task<void> OutboxWorker::renew_leases() {
  if (under_way_.empty()) co_return;
  std::vector<Uuid> ids(under_way_.begin(), under_way_.end());
  co_await outbox_.renew(owner_, std::move(ids), clock_.now() + lease_length);
}

// While LiveKit is unreachable a probe does not wait for the one before: that may hang in what is over.
Task<void> OutboxWorker::probe_loop() {
  while (!stopping_) {
    if (health_.reachable) {
      co_await probe();
    } else {
      asio::co_spawn(executor_, probe(),
                     [](const std::exception_ptr& error) { log_unexpected("probe_failed", error); });
    }
    if (stopping_) break;
    probe_timer_.expires_after(health_.can_be_asked() ? probe_pause : turn_length);
    co_await probe_timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
}

Task<void> OutboxWorker::probe() {
  const auto asked = steady_clock::now();
  const auto answer = co_await livekit_.probe();
  if (stopping_) co_return;
  const bool unreachable = !answer && answer.error().kind == livekit::ApiError::Kind::unreachable;
  if (unreachable && asked < answered_) co_return;
  const std::string why = answer ? std::string() : answer.error().what;
  if (!unreachable) {
    answered_ = std::max(answered_, asked);
    livekit_accepts(answer.has_value(), why);
  }
  livekit_is(!unreachable, why);
}

void OutboxWorker::livekit_accepts(bool us, const std::string& why) {
  health_.accepts_us = us;
  const auto now = steady_clock::now();
  if (us || (refusal_told_ != SteadyTime::min() && now - refusal_told_ < probe_pause)) return;
  refusal_told_ = now;
  log::error("livekit_refuses_us", {{"error", why}});
}

Task<bool> OutboxWorker::is_answering_since(SteadyTime asked) {
  while (!stopping_ && health_.reachable && answered_ <= asked) {
    if (confirming_) {
      co_await confirmed_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
      continue;
    }
    confirming_ = true;
    co_await probe();
    confirming_ = false;
    confirmed_.cancel();
  }
  co_return answered_ > asked;
}

void OutboxWorker::livekit_is(bool reachable, const std::string& why) {
  metrics::series().livekit_reachable.set(reachable ? 1 : 0);
  if (health_.reachable.exchange(reachable) == reachable) return;
  if (reachable) {
    log::info("livekit_reachable");
    expect(steady_clock::now());
  } else {
    log::warning("livekit_unreachable", {{"error", why}});
    probe_timer_.cancel();
  }
}

Task<void> OutboxWorker::carry_out(models::Intent intent) {
  const auto asked = steady_clock::now();
  const auto done = co_await execute(intent);
  if (done) {
    co_await outbox_.complete(intent, clock_.now());
    metrics::series().intents.add({name_of(intent.kind), "done"});
    log::info("intent_done", {{"intent", name_of(intent.kind)},
                              {"call_id", intent.call_id},
                              {"user_id", intent.identity.value_or("")},
                              {"attempts", intent.attempts + 1}});
  } else if (done.error().kind == livekit::ApiError::Kind::unreachable && !co_await is_answering_since(asked)) {
    co_await outbox_.give_back(intent);
  } else {
    co_await postpone(std::move(intent), done.error().what);
  }
}

Task<void> OutboxWorker::postpone(models::Intent intent, std::string why) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const auto pause = backoff(intent.attempts, std::uniform_real_distribution<double>(0, 1)(random));
  metrics::series().intents.add({name_of(intent.kind), "refused"});
  log::warning("intent_refused", {{"intent", name_of(intent.kind)},
                                  {"call_id", intent.call_id},
                                  {"user_id", intent.identity.value_or("")},
                                  {"error", why},
                                  {"attempts", intent.attempts + 1},
                                  {"next_try_ms", pause.count()}});
  co_await outbox_.postpone(intent, clock_.now() + pause);
  expect(steady_clock::now() + pause);
}

Task<std::expected<void, livekit::ApiError>> OutboxWorker::execute(const models::Intent& intent) {
  if (intent.kind == models::IntentKind::remove_participant) co_return co_await remove_participant(intent);
  const std::string room = models::room_name_of(intent.call_id);
  const auto removal = co_await livekit_.delete_room(room);
  if (!removal) co_return std::unexpected(removal.error());
  co_return std::expected<void, livekit::ApiError>();
}

// Only the connection that was left: LiveKit removes by identity, so whoever has come back on another one must be let
// be.
Task<std::expected<void, livekit::ApiError>> OutboxWorker::remove_participant(const models::Intent& intent) {
  const std::string room = models::room_name_of(intent.call_id);
  const auto there = co_await livekit_.get_participant(room, *intent.identity);
  if (!there && there.error().code == "unavailable") {
    // Some servers answer so of a room that is not there, and then nobody is.
    const auto rooms = co_await livekit_.list_rooms({room});
    if (rooms && rooms->empty()) co_return std::expected<void, livekit::ApiError>();
  }
  if (!there) co_return std::unexpected(there.error());
  if (!*there || (*there)->sid != intent.participant_sid) co_return std::expected<void, livekit::ApiError>();
  const auto removal = co_await livekit_.remove_participant(room, *intent.identity);
  if (!removal) co_return std::unexpected(removal.error());
  co_return std::expected<void, livekit::ApiError>();
}

}  // namespace call_service::services
