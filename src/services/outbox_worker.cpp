#include "services/outbox_worker.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

#include "database/models/call.hpp"
#include "log.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr std::size_t most_at_once = 32;
constexpr Seconds turn_length{1};
constexpr Seconds lease{5};

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
  return Milliseconds(static_cast<std::int64_t>(std::min(doubled, 30'000.0) * (1.0 - 0.25 * jitter)));
}

OutboxWorker::OutboxWorker(Executor executor, repositories::OutboxRepository& outbox,
                           livekit::RoomServiceClient& livekit, LivekitHealth& health, const Clock& clock)
    : executor_(executor),
      outbox_(outbox),
      livekit_(livekit),
      health_(health),
      clock_(clock),
      owner_(make_uuid_v7(clock.now())),
      timer_(executor) {}

void OutboxWorker::wake() {
  asio::post(executor_, [this] {
    more_ = true;
    timer_.cancel();
  });
}

void OutboxWorker::stop() {
  stopping_ = true;
  timer_.cancel();
}

Task<void> OutboxWorker::run() {
  while (!stopping_) {
    try {
      co_await turn();
    } catch (const std::exception& error) {
      log::warning("outbox_waits_for_database", {{"error", error.what()}});
    }
    if (stopping_) break;
    if (more_ && under_way_ < most_at_once && health_.reachable) continue;
    timer_.expires_after(turn_length);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
  try {
    co_await outbox_.release(owner_);
  } catch (const std::exception& error) {
    log::warning("outbox_leases_not_released", {{"error", error.what()}});
  }
}

Task<void> OutboxWorker::turn() {
  co_await renew_leases();
  co_await probe();
  if (health_.reachable) co_await claim();
}

Task<void> OutboxWorker::renew_leases() {
  const auto now = steady_clock::now();
  if (under_way_ == 0 || now - renewed_at_ < turn_length) co_return;
  renewed_at_ = now;
  co_await outbox_.renew(owner_, clock_.now() + lease);
}

// Asks while LiveKit is away, and now and then otherwise, so that /ready tells the truth of an idle service.
Task<void> OutboxWorker::probe() {
  const auto pause = health_.reachable ? Seconds(10) : turn_length;
  const auto now = steady_clock::now();
  if (now - probed_at_ < pause) co_return;
  probed_at_ = now;
  const auto answer = co_await livekit_.probe();
  if (!answer) {
    if (answer.error().kind == livekit::ApiError::Kind::unreachable)
      co_return co_await lost_livekit(answer.error().what);
    log::error("livekit_refuses_us", {{"error", answer.error().what}});
  }
  if (!health_.reachable.exchange(true)) log::info("livekit_reachable");
}

Task<void> OutboxWorker::lost_livekit(std::string why) {
  if (!health_.reachable.exchange(false)) co_return;
  log::warning("livekit_unreachable", {{"error", why}});
  co_await outbox_.release(owner_);
}

Task<void> OutboxWorker::claim() {
  const auto room = most_at_once - under_way_;
  if (room == 0) co_return;
  more_ = false;
  const Timestamp now = clock_.now();
  auto intents = co_await outbox_.claim(owner_, now, now + lease, static_cast<int>(room));
  if (intents.size() == room) more_ = true;
  if (!intents.empty()) renewed_at_ = steady_clock::now();
  for (auto& intent : intents) {
    ++under_way_;
    asio::co_spawn(executor_, carry_out(std::move(intent)), [this](const std::exception_ptr& error) {
      log_unexpected("intent_not_settled", error);
      --under_way_;
      if (more_) timer_.cancel();
    });
  }
}

Task<void> OutboxWorker::carry_out(models::Intent intent) {
  const auto done = co_await execute(intent);
  if (done) co_return co_await settle(std::move(intent));
  if (done.error().kind == livekit::ApiError::Kind::unreachable) co_return co_await lost_livekit(done.error().what);
  static thread_local std::minstd_rand random{std::random_device{}()};
  const auto pause = backoff(intent.attempts, std::uniform_real_distribution<double>(0, 1)(random));
  log::warning("intent_refused", {{"intent", name_of(intent.kind)},
                                  {"call_id", intent.call_id.to_string()},
                                  {"error", done.error().what},
                                  {"attempts", intent.attempts + 1},
                                  {"next_try_ms", pause.count()}});
  co_await outbox_.postpone(intent, clock_.now() + pause);
  // Its turn may come before the next one of ours.
  more_ = true;
}

Task<void> OutboxWorker::settle(models::Intent intent) {
  co_await outbox_.complete(intent);
  log::info("intent_done", {{"intent", name_of(intent.kind)}, {"call_id", intent.call_id.to_string()}});
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
  if (!there) co_return std::unexpected(there.error());
  if (!*there || (*there)->sid != intent.participant_sid) co_return std::expected<void, livekit::ApiError>();
  const auto removal = co_await livekit_.remove_participant(room, *intent.identity);
  if (!removal) co_return std::unexpected(removal.error());
  co_return std::expected<void, livekit::ApiError>();
}

}  // namespace call_service::services
