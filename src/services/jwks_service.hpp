#pragma once

#include <boost/asio/steady_timer.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "base/time.hpp"
#include "jose/key_set.hpp"

namespace call_service::services {

// The keys of AUTH_JWKS_URL as last read, and who may ask for them anew. Safe on any thread. A JwksRefresher fills it.
class JwksService {
 public:
  // `wake` makes the refresher begin at once; it is called on any thread. `clock` must outlive this.
  JwksService(const Clock& clock, std::function<void()> wake);

  // The last good keys; none before the first good answer.
  std::shared_ptr<const jose::KeySet> keys() const;

  // For a key that is not known: asks for a refresh, unless that was done within the last minute, and waits until it is
  // done, 3 s at most. Joins the refresh that is under way, if there is one.
  Task<void> refresh();

  // What the refresher tells: a refresh begins; it has ended with keys, or with the reason why there are none, and then
  // the last good keys stay. end() lets all go on that wait.
  void begin();
  void end(std::expected<jose::KeySet, std::string> outcome);

  struct Snapshot {
    std::size_t keys = 0;
    std::optional<Timestamp> fetched_at{};    // the last good answer
    std::optional<std::string> last_error{};  // of the last refresh, if it failed
  };
  Snapshot snapshot() const;

 private:
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  // The timer belongs to the waiting thread, so nobody else holds on to it.
  struct Waiter {
    Executor executor;
    std::weak_ptr<Timer> timer;
  };

  enum class Need { nothing, wait, wake_and_wait };
  Need what_is_needed(Timestamp now);  // the mutex is held
  void release_waiters();              // the mutex is held
  void log_change(const std::expected<jose::KeySet, std::string>& outcome) const;

  const Clock& clock_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  std::shared_ptr<const jose::KeySet> keys_ = std::make_shared<jose::KeySet>();
  std::optional<Timestamp> fetched_at_;
  std::optional<std::string> last_error_;
  std::optional<Timestamp> last_asked_at_;  // by refresh()
  bool under_way_ = true;  // from begin(), or from waking the refresher, to end(); the first from the start
  std::vector<Waiter> waiters_;
};

}  // namespace call_service::services
