#include "services/closing_timer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/ranges.hpp"
#include "log.hpp"
#include "services/call_rules.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;

constexpr Seconds turn_length{1};
constexpr int page = 100;

}  // namespace

ClosingTimer::ClosingTimer(Executor executor, repositories::CallRepository& calls, livekit::RoomServiceClient& livekit,
                           const LivekitHealth& health, const Clock& clock)
    : calls_(calls), livekit_(livekit), health_(health), clock_(clock), timer_(executor) {}

void ClosingTimer::stop() {
  stopping_ = true;
  timer_.cancel();
}

Task<void> ClosingTimer::run() {
  while (!stopping_) {
    try {
      co_await turn();
    } catch (const std::exception& error) {
      log::warning("closing_timer_waits_for_database", {{"error", error.what()}});
    }
    if (stopping_) break;
    timer_.expires_after(turn_length);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
}

// One question for all that are due; without an answer they stay due.
Task<void> ClosingTimer::turn() {
  if (!health_.reachable) co_return;
  const auto due = co_await calls_.due_to_close(clock_.now(), page);
  if (due.empty()) co_return;
  std::vector<std::string> names;
  for (const Uuid& call_id : due) names.push_back(models::room_name_of(call_id));
  const auto rooms = co_await livekit_.list_rooms(names);
  if (!rooms) co_return;
  for (const Uuid& call_id : due) {
    const bool is_there = contains(*rooms, models::room_name_of(call_id), &livekit::RoomInfo::name);
    co_await close(call_id, is_there);
  }
}

Task<void> ClosingTimer::close(Uuid call_id, bool room_is_there) {
  repositories::StateQuery query{.call_id = call_id, .all_open = true};
  const auto state = co_await calls_.load_state(query);
  const Timestamp now = clock_.now();
  if (!state || !state->call.is_active() || !state->call.closes_at || *state->call.closes_at > now) co_return;

  repositories::Change change{.call = state->call, .now = now};
  if (!room_is_there) {
    auto decided = rules::close(*state);
    change.call = std::move(decided.call);
    change.sessions = std::move(decided.sessions);
  } else {
    change.call.closes_at.reset();
  }
  const bool ended = !change.call.is_active();
  // A lost guard needs no care: the call is still due at the next turn if it is due at all.
  const bool written = co_await calls_.apply(std::move(change));
  if (written && ended) log::info("call_ended", {{"call_id", call_id.to_string()}, {"cause", "timer"}});
}

}  // namespace call_service::services
