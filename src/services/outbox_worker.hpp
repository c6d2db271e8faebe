#pragma once

#include <boost/asio/steady_timer.hpp>
#include <string>
#include <unordered_set>

#include "base/task.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/repositories/outbox_repository.hpp"
#include "livekit/room_service_client.hpp"
#include "services/livekit_probe.hpp"

namespace call_service::services {

// Carries out the intents of the outbox: claims what is due, several at a time, so that a slow one delays nobody, and
// goes on with each until it is done or not needed any more. What fails for its own reason is tried again more and more
// rarely; that LiveKit does not work for us at all is one state, found out by LivekitProbe: then nothing is claimed,
// and all intents are due when it does. Runs on one io_context.
class OutboxWorker {
 public:
  OutboxWorker(Executor executor, repositories::OutboxRepository& outbox, livekit::RoomServiceClient& livekit,
               LivekitProbe& probe, const Clock& clock);

  // Its two loops; each runs until stop() and never throws.
  Task<void> claim_loop();
  Task<void> lease_loop();

  // There may be something due. Safe on any thread.
  void wake();

  // Ends the loops soon; leases are given back. On the worker's thread.
  void stop();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  Task<void> claim();
  void take_up(models::Intent intent);
  Task<void> renew_leases();
  Task<void> carry_out(models::Intent intent);
  Task<bool> is_its_own(const livekit::ApiError& error, SteadyTime asked);
  Task<void> postpone(models::Intent intent, std::string why);
  Task<std::expected<void, livekit::ApiError>> execute(const models::Intent& intent);
  Task<std::expected<void, livekit::ApiError>> remove_participant(const models::Intent& intent);
  Task<bool> has_room(const std::string& room);
  // At `due` there will be something to claim.
  void expect(SteadyTime due);

  Executor executor_;
  repositories::OutboxRepository& outbox_;
  livekit::RoomServiceClient& livekit_;
  LivekitProbe& probe_;
  const Clock& clock_;
  const Uuid owner_;
  Timer claim_timer_;
  Timer lease_timer_;
  std::unordered_set<Uuid> under_way_;
  std::size_t retries_ = 0;  // of these, what LiveKit has refused before
  SteadyTime next_due_;
  bool stopping_ = false;
};

// How long an intent that LiveKit refused `attempts` times waits: 0.5 s, doubling to at most 30 s, with up to a quarter
// less by `jitter` (0 to 1), so that they do not come back together.
Milliseconds backoff(int attempts, double jitter);

}  // namespace call_service::services
