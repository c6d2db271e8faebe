#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "base/task.hpp"
#include "livekit/room_service_client.hpp"
#include "services/closing_timer.hpp"
#include "services/outbox_worker.hpp"

namespace call_service {

// What goes on without a request: the outbox and the timers, on a thread of their own.
class Background {
 public:
  struct Needs {
    repositories::CallRepository& calls;
    repositories::OutboxRepository& outbox;
    services::LivekitHealth& livekit_health;
    const Clock& clock;
    http::Origin livekit_origin;
    livekit::ApiKey livekit_key;
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

 private:
  boost::asio::io_context context_{1};
  livekit::RoomServiceClient livekit_;
  services::OutboxWorker outbox_worker_;
  services::ClosingTimer closing_timer_;
  boost::asio::executor_work_guard<Executor> work_;
  std::thread thread_;
};

}  // namespace call_service
