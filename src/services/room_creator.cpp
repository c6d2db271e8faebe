#include "services/room_creator.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>

#include "database/models/call.hpp"
#include "database/repositories/claim.hpp"
#include "log.hpp"
#include "services/outbox_worker.hpp"
#include "services/side_by_side.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;

constexpr Seconds patience{2};
constexpr Seconds lease_length = repositories::longest_lease;
constexpr Seconds turn_length{1};
constexpr std::size_t most_at_once = 32;
// How long those find back who were in a room that LiveKit lost; clients try for 25 s or longer.
constexpr Seconds time_to_find_back{60};

// Its lease runs out, and then it is due again.
void tell_unsettled(const std::string& why) {
  log::warning("room_creation_not_settled", {{"error", why}});
}

void log_unexpected(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const std::exception& reason) {
    tell_unsettled(reason.what());
  }
}

}  // namespace

// A start or join that waits: `timer` and `ready` belong to its thread.
struct RoomCreator::Wait {
  explicit Wait(Executor callers_thread) : executor(callers_thread), timer(callers_thread, patience) {}

  Executor executor;
  Timer timer;
  bool ready = false;
};

RoomCreator::RoomCreator(Executor executor, repositories::RoomCreationRepository& creations,
                         livekit::RoomServiceClient& livekit, Settings settings, const Clock& clock,
                         std::function<void()> wake_outbox)
    : executor_(executor),
      creations_(creations),
      livekit_(livekit),
      settings_(settings),
      clock_(clock),
      owner_(make_uuid_v7(clock.now())),
      wake_outbox_(std::move(wake_outbox)),
      claim_timer_(executor) {}

models::RoomCreation RoomCreator::creation_for(Uuid call_id, Seconds empty_timeout) const {
  const Timestamp now = clock_.now();
  return {.call_id = call_id,
          .creation_id = make_uuid_v7(now),
          .empty_timeout_seconds = static_cast<int>(empty_timeout.count()),
          .due_at = now,
          .lease_owner = owner_,
          .lease_until = now + lease_length};
}

models::RoomCreation RoomCreator::ask_for(Uuid call_id) const {
  return creation_for(call_id, settings_.empty_timeout);
}

// A call that was entered ends soon after the last one has left; its new room must not keep it for longer.
Seconds RoomCreator::empty_timeout_of(const repositories::CallRoom& room) const {
  if (!room.was_entered) return settings_.empty_timeout;
  return std::max(settings_.departure_timeout, time_to_find_back);
}

Task<bool> RoomCreator::wait_for(models::RoomCreation creation, std::optional<int> max_participants) {
  const auto wait = std::make_shared<Wait>(co_await asio::this_coro::executor);
  asio::post(executor_, [this, wait, creation, max_participants] { spawn(begin(creation, max_participants, wait)); });
  co_await wait->timer.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  if (!wait->ready) asio::post(executor_, [this, wait, call_id = creation.call_id] { forget(call_id, wait); });
  co_return wait->ready;
}

void RoomCreator::forget(const Uuid& call_id, const std::shared_ptr<Wait>& wait) {
  const auto found = waiting_.find(call_id);
  if (found == waiting_.end()) return;
  std::erase(found->second, wait);
  if (found->second.empty()) waiting_.erase(found);
}

void RoomCreator::restore(Uuid call_id) {
  asio::post(executor_, [this, call_id] { spawn(restore_now(call_id)); });
}

void RoomCreator::spawn(Task<void> work) {
  asio::co_spawn(executor_, std::move(work), log_unexpected);
}

void RoomCreator::stop() {
  stopping_ = true;
  claim_timer_.cancel();
  waiting_.clear();  // they belong to threads that may be gone before this is
}

void RoomCreator::wake() {
  woken_ = true;
  claim_timer_.cancel();
}

void RoomCreator::livekit_is(bool reachable) {
  if (reachable_ != reachable) log::info("room_creation", {{"livekit_reachable", reachable}});
  reachable_ = reachable;
  if (reachable) wake();
}

Task<void> RoomCreator::begin(models::RoomCreation creation, std::optional<int> max_participants,
                              std::shared_ptr<Wait> wait) {
  if (stopping_) co_return;
  waiting_[creation.call_id].push_back(std::move(wait));
  if (reachable_) {
    co_await carry_out(creation, max_participants);
  } else {
    co_await creations_.give_back(creation);
  }
}

void RoomCreator::tell_waiting(const Uuid& call_id) {
  const auto found = waiting_.find(call_id);
  if (found == waiting_.end()) return;
  for (const auto& wait : found->second) {
    asio::post(wait->executor, [wait] {
      wait->ready = true;
      wait->timer.cancel();
    });
  }
  waiting_.erase(found);
}

Task<void> RoomCreator::restore_now(Uuid call_id) {
  const auto room = co_await creations_.find(call_id);
  if (!room || !room->is_active) co_return;
  std::vector<repositories::CallRoom> rooms{*room};
  co_await create_missing(std::move(rooms));
}

Task<void> RoomCreator::create_missing(std::vector<repositories::CallRoom> rooms) {
  std::map<Uuid, std::pair<models::RoomCreation, std::optional<int>>> all;
  std::vector<models::RoomCreation> creations;
  for (const auto& room : rooms) {
    creations.push_back(creation_for(room.call_id, empty_timeout_of(room)));
    all.emplace(room.call_id, std::pair{creations.back(), room.max_participants});
  }
  auto work = [&](Uuid call_id) {
    const auto& [creation, max_participants] = all.at(call_id);
    return carry_out(creation, max_participants);
  };
  auto taken = co_await creations_.ask_for_missing(std::move(creations));
  log::info("rooms_missing", {{"calls", taken.size()}});
  for (auto from = taken.begin(); from != taken.end();) {
    const auto to = from + std::min<std::ptrdiff_t>(taken.end() - from, most_at_once);
    co_await side_by_side(std::vector<Uuid>(from, to), work, tell_unsettled);
    from = to;
  }
}

Task<void> RoomCreator::claim_loop() {
  while (!stopping_) {
    woken_ = false;
    try {
      if (reachable_) co_await claim();
    } catch (const std::exception& error) {
      log::warning("room_creation_waits_for_database", {{"error", error.what()}});
    }
    if (stopping_) break;
    if (woken_) continue;
    claim_timer_.expires_after(turn_length);
    co_await claim_timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
}

Task<void> RoomCreator::claim() {
  const auto room = most_at_once - std::min(most_at_once, claimed_.size());
  if (room == 0) co_return;
  const Timestamp now = clock_.now();
  auto creations = co_await creations_.claim(owner_, now, now + lease_length, static_cast<int>(room));
  for (auto& creation : creations) {
    if (claimed_.insert(creation.creation_id).second) spawn(carry_out_claimed(std::move(creation)));
  }
}

Task<void> RoomCreator::carry_out_claimed(models::RoomCreation creation) {
  struct Release {
    RoomCreator& creator;
    Uuid id;
    ~Release() {
      const bool was_full = creator.claimed_.size() >= most_at_once;
      creator.claimed_.erase(id);
      if (was_full) creator.wake();
    }
  };
  const Release release{*this, creation.creation_id};
  const auto room = co_await creations_.find(creation.call_id);
  if (!room) co_return;
  if (room->is_active) {
    co_await carry_out(creation, room->max_participants);
  } else {
    co_await settle(creation);
  }
}

Task<void> RoomCreator::carry_out(models::RoomCreation creation, std::optional<int> max_participants) {
  const livekit::RoomSettings settings{.name = models::room_name_of(creation.call_id),
                                       .empty_timeout = Seconds(creation.empty_timeout_seconds),
                                       .departure_timeout = settings_.departure_timeout,
                                       .max_participants = max_participants};
  const auto created = co_await livekit_.create_room(settings);
  if (created) {
    tell_waiting(creation.call_id);
    co_await settle(creation);
  } else if (created.error().kind == livekit::ApiError::Kind::unreachable && created.error().code.empty()) {
    livekit_is(false);
    if (told_unreachable_) told_unreachable_();
    co_await creations_.give_back(creation);
  } else {
    co_await postpone(creation, created.error().what);
  }
}

Task<void> RoomCreator::settle(const models::RoomCreation& creation) {
  const Timestamp now = clock_.now();
  const bool ended = co_await creations_.settle(creation, make_uuid_v7(now), now);
  if (!ended) co_return;
  waiting_.erase(creation.call_id);
  log::info("room_of_ended_call", {{"call_id", creation.call_id.to_string()}});
  wake_outbox_();
}

Task<void> RoomCreator::postpone(const models::RoomCreation& creation, std::string why) {
  const auto pause = backoff(creation.attempts, static_cast<double>(creation.creation_id.bytes.back()) / 255.0);
  log::warning("room_creation_refused", {{"call_id", creation.call_id.to_string()},
                                         {"error", why},
                                         {"attempts", creation.attempts + 1},
                                         {"next_try_ms", pause.count()}});
  co_await creations_.postpone(creation, clock_.now() + pause);
}

}  // namespace call_service::services
