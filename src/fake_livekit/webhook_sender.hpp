#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>

#include "base/task.hpp"
#include "base/time.hpp"
#include "fake_livekit/faults.hpp"
#include "fake_livekit/journal.hpp"
#include "fake_livekit/messages.hpp"
#include "http/client.hpp"
#include "livekit/access_token.hpp"

namespace call_service::fake_livekit {

// What became of an event, or of one attempt to deliver it.
struct Delivery {
  std::int64_t seq = 0;
  Timestamp at{};
  std::string event{};
  std::string id{};
  std::string room{};
  std::string body{};     // as sent
  int attempt = 0;        // from 1; 0: nothing was sent
  std::string outcome{};  // answered | failed | dropped | expired | overflowed
  int status = 0;         // of the answer
  std::string cause{};    // why it failed
  std::string fault{};    // that struck this event
};

// Sends events as LiveKit does (livekit/protocol, webhook/resource_url_notifier.go): a queue for each room, one request
// at a time, five attempts 1, 2, 4 and 8 s apart on connection errors, 429 and 5xx but 501, Retry-After obeyed; nothing
// kept longer than 30 s, nor more than 200 in a queue. enqueue() and the settings are safe on any thread.
class WebhookSender {
 public:
  struct Options {
    livekit::ApiKey key{};
    Milliseconds first_wait{1'000};  // doubled after each attempt
    Milliseconds max_age{30'000};
    std::size_t max_depth = 200;
  };

  WebhookSender(Options options, FaultBook& faults, const Clock& clock);
  ~WebhookSender();
  WebhookSender(const WebhookSender&) = delete;
  WebhookSender& operator=(const WebhookSender&) = delete;

  // nullopt: there is nobody to tell. Events that wait go to the new place. False: not a URL of http or https.
  bool set_url(const std::optional<std::string>& url);
  std::optional<std::string> url() const;

  void enqueue(Event event);
  // As a crash of LiveKit: whatever waits is lost.
  void forget();

  const Journal<Delivery>& deliveries() const { return deliveries_; }

  // Runs `work` on the sender's thread, again and again, that often. Call before start().
  void every(Milliseconds interval, std::function<void()> work);
  void start();
  void stop();

 private:
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  struct Queued {
    Event event;
    std::optional<Fault> fault;
  };
  struct Queue {
    std::deque<Queued> waiting{};
    std::optional<Queued> held{};  // back, by the fault `reorder`
    bool busy = false;
    bool dead = false;
  };

  void accept(Event event);
  void push(const std::shared_ptr<Queue>& queue, Queued queued);
  void release(const std::shared_ptr<Queue>& queue);
  Task<> hold(std::shared_ptr<Queue> queue, std::string id, Milliseconds at_most);
  Task<> work_off(std::shared_ptr<Queue> queue);
  Task<> deliver(std::shared_ptr<Queue> queue, Queued queued);
  // The wait before the next attempt, or nothing if this was the last.
  Task<std::optional<Milliseconds>> attempt(const Queued& queued, int number, const std::string& token);
  Task<> wait(Milliseconds duration);
  Task<> repeat(Milliseconds interval, std::function<void()> work);
  std::string sign(const Queued& queued) const;
  void record(const Queued& queued, int attempt, std::string outcome, int status = 0, std::string cause = {});

  const Options options_;
  FaultBook& faults_;
  const Clock& clock_;
  Journal<Delivery> deliveries_;

  mutable std::mutex mutex_;
  std::optional<std::string> url_;

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<Executor> work_;
  std::shared_ptr<http::Client> client_;  // these only on the thread
  std::map<std::string, std::shared_ptr<Queue>> queues_;
  std::unordered_set<Timer*> timers_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace call_service::fake_livekit
