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
constexpr std::size_t most_retries_at_once = 24;
constexpr Seconds turn_length{1};
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
                           livekit::RoomServiceClient& livekit, LivekitProbe& probe, const Clock& clock)
    : executor_(executor),
      outbox_(outbox),
      livekit_(livekit),
      probe_(probe),
      clock_(clock),
      owner_(make_uuid_v7(clock.now())),
      claim_timer_(executor),
      lease_timer_(executor) {
  probe_.on_works([this] { expect(steady_clock::now()); });
}

void OutboxWorker::wake() {
  asio::post(executor_, [this] { expect(steady_clock::now()); });
}

void OutboxWorker::expect(SteadyTime due) {
  if (due >= next_due_) return;
  next_due_ = due;
  claim_timer_.cancel();
}

void OutboxWorker::stop() {
  stopping_ = true;
  claim_timer_.cancel();
  lease_timer_.cancel();
}

Task<void> OutboxWorker::claim_loop() {
  while (!stopping_) {
    next_due_ = steady_clock::now() + turn_length;
    try {
      if (probe_.works()) co_await claim();
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

// What failed before may take long to fail again, so some places are only for what was not tried yet.
Task<void> OutboxWorker::claim() {
  using Which = repositories::OutboxRepository::Which;
  const auto room_for = [this](Which which) {
    const std::size_t free = most_at_once - std::min(most_at_once, under_way_.size());
    const std::size_t free_for_retries = most_retries_at_once - std::min(most_retries_at_once, retries_);
    return which == Which::all ? std::min(free, free_for_retries) : free;
  };
  for (const Which which : {Which::all, Which::untried}) {
    const std::size_t room = room_for(which);
    if (room == 0) continue;
    const Timestamp now = clock_.now();
    auto intents = co_await outbox_.claim(owner_, now, now + lease_length, static_cast<int>(room), which);
    const bool is_all = intents.size() < room;
    for (auto& intent : intents) take_up(std::move(intent));
    if (is_all) co_return;
  }
}

void OutboxWorker::take_up(models::Intent intent) {
  const Uuid id = intent.intent_id;
  const std::size_t retry = intent.attempts > 0 ? 1 : 0;
  // Its lease had run out while the database was away; it is still being carried out.
  if (!under_way_.insert(id).second) return;
  retries_ += retry;
  asio::co_spawn(executor_, carry_out(std::move(intent)), [this, id, retry](const std::exception_ptr& error) {
    // Its lease is not renewed any more, so it is due again when that has run out.
    log_unexpected("intent_not_settled", error);
    const bool was_full = under_way_.size() >= most_at_once || retries_ >= most_retries_at_once;
    under_way_.erase(id);
    retries_ -= retry;
    if (was_full) expect(steady_clock::now());
  });
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
  } else if (co_await is_its_own(done.error(), asked)) {
    co_await postpone(std::move(intent), done.error().what);
  } else {
    co_await outbox_.give_back(intent);
  }
}

// Whether an intent that was begun at `asked` failed for what it is about, while LiveKit worked. Else it must not be
// tried more rarely, nor be kept from a process whose LiveKit works.
Task<bool> OutboxWorker::is_its_own(const livekit::ApiError& error, SteadyTime asked) {
  if (stopping_) co_return false;
  const bool is_certain = error.kind == livekit::ApiError::Kind::refused && !error.refuses_us();
  co_return is_certain || co_await probe_.worked_since(asked);
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
  if (!there) {
    // A LiveKit that asks the room's node knows no participant of a room that has closed, nor that they are gone.
    if (there.error().is_nowhere() && !co_await has_room(room)) co_return std::expected<void, livekit::ApiError>();
    co_return std::unexpected(there.error());
  }
  if (!*there || (*there)->sid != intent.participant_sid) co_return std::expected<void, livekit::ApiError>();
  const auto removal = co_await livekit_.remove_participant(room, *intent.identity);
  if (!removal) co_return std::unexpected(removal.error());
  co_return std::expected<void, livekit::ApiError>();
}

// Also if LiveKit does not say.
Task<bool> OutboxWorker::has_room(const std::string& room) {
  const std::vector<std::string> names{room};
  const auto rooms = co_await livekit_.list_rooms(names);
  co_return !rooms || !rooms->empty();
}

}  // namespace call_service::services
