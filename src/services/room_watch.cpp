#include "services/room_watch.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/ranges.hpp"
#include "database/models/call.hpp"
#include "database/repositories/call_repository.hpp"
#include "log.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;

constexpr int page = 200;
constexpr Milliseconds between_knocks{50};
constexpr Milliseconds between_questions{250};  // to a LiveKit that listens and does not answer
constexpr Milliseconds between_looks{10'000};
constexpr Milliseconds shortest_hold{1'000};

}  // namespace

RoomWatch::RoomWatch(Executor executor, http::Origin origin, repositories::RoomCreationRepository& creations,
                     livekit::RoomServiceClient& livekit, RoomCreator& creator)
    : creations_(creations),
      livekit_(livekit),
      creator_(creator),
      contact_(executor, std::move(origin)),
      timer_(executor) {
  creator_.on_unreachable([this] { contact_.close(); });
}

void RoomWatch::stop() {
  stopping_ = true;
  contact_.close();
  timer_.cancel();
}

Task<void> RoomWatch::run() {
  while (!stopping_) {
    if (!co_await contact_.connect()) {
      creator_.livekit_is(false);
      co_await pause(between_knocks);
      continue;
    }
    if (!co_await create_missing()) {
      creator_.livekit_is(false);
      co_await pause(between_questions);
      continue;
    }
    creator_.livekit_is(true);
    const auto held_since = std::chrono::steady_clock::now();
    co_await contact_.hold(between_looks);
    // A proxy may let nobody stay who does not ask.
    const auto held = std::chrono::steady_clock::now() - held_since;
    if (held < shortest_hold) co_await pause(between_questions);
  }
}

Task<bool> RoomWatch::create_missing() {
  Timestamp after = repositories::first_moment;
  Uuid after_id;
  try {
    while (!stopping_) {
      auto calls = co_await creations_.in_use(after, after_id, page);
      if (calls.empty()) co_return true;
      after = calls.back().started_at;
      after_id = calls.back().call_id;
      std::vector<std::string> names;
      for (const auto& call : calls) names.push_back(models::room_name_of(call.call_id));
      const auto rooms = co_await livekit_.list_rooms(names);
      if (!rooms) {
        log::warning("rooms_not_listed", {{"error", rooms.error().what}});
        co_return rooms.error().kind == livekit::ApiError::Kind::refused;
      }
      std::erase_if(calls, [&](const repositories::CallRoom& call) {
        return contains(*rooms, models::room_name_of(call.call_id), &livekit::RoomInfo::name);
      });
      if (!calls.empty()) co_await creator_.create_missing(std::move(calls));
    }
    co_return true;
  } catch (const std::exception& error) {
    log::warning("room_watch_waits_for_database", {{"error", error.what()}});
    co_return false;
  }
}

Task<void> RoomWatch::pause(Milliseconds length) {
  if (stopping_) co_return;
  timer_.expires_after(length);
  co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
}

}  // namespace call_service::services
