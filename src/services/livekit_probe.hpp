#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "base/task.hpp"
#include "base/time.hpp"
#include "livekit/room_service_client.hpp"
#include "services/livekit_health.hpp"

namespace call_service::services {

// Decides whether LiveKit can be worked with: nothing but the answer to a question of its own does, for any other
// request may fail for what it is about. It asks once a second while LiveKit does not work for us, now and then while
// it does, and as soon as another request goes unanswered. Runs on one io_context.
class LivekitProbe {
 public:
  LivekitProbe(Executor executor, livekit::RoomServiceClient& livekit, LivekitHealth& health);

  // Asks until stop(). Never throws.
  Task<void> run();
  void stop();

  bool works() const { return health_.can_be_asked(); }
  // `told` is called whenever LiveKit begins to work.
  void on_works(std::function<void()> told) { told_works_ = std::move(told); }

  // A request got no good answer: asks, unless a question is under way.
  void doubt();
  // Whether LiveKit gave a good answer to a question that was begun after `asked`; waits for one. If so, a request
  // begun then has failed for a reason of its own.
  Task<bool> worked_since(std::chrono::steady_clock::time_point asked);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  enum class Standing { unknown, works, refuses_us, unreachable };

  static Standing standing_in(const std::expected<void, livekit::ApiError>& answer);

  bool is_due() const;
  void begin();
  Task<void> ask(SteadyTime asked);
  void settle(SteadyTime asked, Standing standing, const std::string& why);
  void livekit_is(Standing standing, const std::string& why);

  Executor executor_;
  livekit::RoomServiceClient& livekit_;
  LivekitHealth& health_;
  std::function<void()> told_works_;
  Timer turn_;
  Timer verdict_;  // never expires: cancelled with each answer
  Standing standing_ = Standing::unknown;
  SteadyTime begun_ = SteadyTime::min();     // the newest question
  SteadyTime settled_ = SteadyTime::min();   // when the newest that has ended was begun
  SteadyTime answered_ = SteadyTime::min();  // … that was answered at all
  SteadyTime worked_ = SteadyTime::min();    // … that had a good answer
  bool stopping_ = false;
};

}  // namespace call_service::services
