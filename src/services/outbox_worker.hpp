#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <string>
#include <unordered_set>

#include "base/task.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/repositories/outbox_repository.hpp"
#include "livekit/room_service_client.hpp"

namespace call_service::services {

// What is known of LiveKit's API; written by the outbox worker, read by /ready on any thread.
struct LivekitHealth {
  std::atomic<bool> reachable{true};
  std::atomic<bool> accepts_us{true};  // as far as it is reachable

  bool can_be_asked() const { return reachable && accepts_us; }
};

// Carries out the intents of the outbox: claims what is due, several at a time, so that a slow one delays nobody, and
// goes on with each until it is done or not needed any more. That LiveKit is unreachable is one state: then nothing is
// claimed, one probe a second asks for it, and all intents are due when it answers. An intent without an answer while
// probes are answered is in trouble of its own, such as a room whose node is gone, and waits as if it was refused. Nor
// is anything claimed while LiveKit does not accept our key: another replica may have a better one. Runs on one
// io_context of its own.
class OutboxWorker {
 public:
  OutboxWorker(Executor executor, repositories::OutboxRepository& outbox, livekit::RoomServiceClient& livekit,
               LivekitHealth& health, const Clock& clock);

  // Its three loops; each runs until stop() and never throws.
  Task<void> claim_loop();
  Task<void> lease_loop();
  Task<void> probe_loop();

  // There may be something due. Safe on any thread.
  void wake();

  // Somebody else found LiveKit not to answer: it is asked for until it does. On the worker's thread.
  void report_outage(const std::string& why);

  // Ends the loops soon; leases are given back. On the worker's thread.
  void stop();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  Task<void> claim();
  Task<void> renew_leases();
  Task<void> probe();
  // Whether LiveKit answered a probe that was begun after `asked`; waits for one if need be.
  Task<bool> is_answering_since(SteadyTime asked);
  Task<void> carry_out(models::Intent intent);
  Task<void> postpone(models::Intent intent, std::string why);
  Task<std::expected<void, livekit::ApiError>> execute(const models::Intent& intent);
  Task<std::expected<void, livekit::ApiError>> remove_participant(const models::Intent& intent);
  void livekit_is(bool reachable, const std::string& why);
  void livekit_accepts(bool us, const std::string& why);
  // At `due` there will be something to claim.
  void expect(SteadyTime due);

  Executor executor_;
  repositories::OutboxRepository& outbox_;
  livekit::RoomServiceClient& livekit_;
  LivekitHealth& health_;
  const Clock& clock_;
  const Uuid owner_;
  Timer claim_timer_;
  Timer lease_timer_;
  Timer probe_timer_;
  Timer confirmed_;  // never expires: cancelled when `confirming_` ends
  std::unordered_set<Uuid> under_way_;
  SteadyTime next_due_;
  SteadyTime answered_ = SteadyTime::min();  // when the newest probe that LiveKit answered was begun
  SteadyTime refusal_told_ = SteadyTime::min();
  bool confirming_ = false;
  bool stopping_ = false;
};

// How long an intent that LiveKit refused `attempts` times waits: 0.5 s, doubling to at most 30 s, with up to a quarter
// less by `jitter` (0 to 1), so that they do not come back together.
Milliseconds backoff(int attempts, double jitter);

}  // namespace call_service::services
