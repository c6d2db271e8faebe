#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <thread>

#include "base/task.hpp"
#include "livekit/room_service_client.hpp"
#include "services/call_changes.hpp"
#include "services/duration_timer.hpp"
#include "services/jwks_refresher.hpp"
#include "services/lease.hpp"
#include "services/livekit_probe.hpp"
#include "services/open_counter.hpp"
#include "services/outbox_worker.hpp"
#include "services/reconciler.hpp"
#include "services/retention.hpp"
#include "services/room_creator.hpp"
#include "services/room_watch.hpp"

namespace call_service {

// What goes on without a request: the outbox, the comparison with LiveKit, the timers, the counts for the metrics and
// the keys of user tokens, on a thread of their own.
class Background {
 public:
  struct Needs {
    repositories::CallRepository& calls;
    repositories::OpenCallsRepository& open_calls;
    repositories::OutboxRepository& outbox;
    repositories::LeaseRepository& leases;
    repositories::StatisticsRepository& statistics;
    repositories::RetentionRepository& retention;
    repositories::RoomCreationRepository& room_creations;
    services::CallTurns& call_turns;
    services::LivekitHealth& livekit_health;
    const Clock& clock;
    http::Origin livekit_origin;
    livekit::ApiKey livekit_key;
    std::optional<Uuid> lease_owner;  // nullopt: no other process uses the database
    services::Reconciler::Settings reconciler;
    services::JwksService* jwks = nullptr;  // with a URL only
    std::optional<std::string> jwks_url{};
    Seconds call_max_duration;
    Seconds calls_kept_for;
    std::optional<services::RoomCreator::Settings> rooms;  // if we create them
  };

  explicit Background(Needs needs);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void start();
  // Waits for what is under way; calls to LiveKit are cut short.
  void stop();

  // Safe on any thread.
  void wake_outbox() { outbox_worker_.wake(); }
  // With jwks_url only.
  void wake_jwks() { jwks_refresher_->wake(); }
  // Null where participants create their rooms.
  services::RoomCreator* rooms() { return room_creator_ ? &*room_creator_ : nullptr; }

 private:
  boost::asio::io_context context_{1};
  livekit::RoomServiceClient livekit_;
  services::LivekitProbe livekit_probe_;
  services::OutboxWorker outbox_worker_;
  services::CallChanges call_changes_;
  services::Lease reconciler_lease_;
  services::Reconciler reconciler_;
  services::OpenCounter open_counter_;
  services::DurationTimer duration_timer_;
  std::optional<services::JwksRefresher> jwks_refresher_;
  services::Retention retention_;
  std::optional<services::RoomCreator> room_creator_;
  std::optional<services::RoomWatch> room_watch_;
  boost::asio::executor_work_guard<Executor> work_;
  std::thread thread_;
};

}  // namespace call_service
