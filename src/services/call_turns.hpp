#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/task.hpp"
#include "base/uuid.hpp"

namespace call_service::services {

// Lets decisions about one call be taken one after the other within this process, in the order in which they came:
// taken at once, all but one would find the call changed and have to be taken anew. Correctness does not depend on it
// (the call's version guards every change); it keeps a burst of events for one call from costing its square. Safe on
// any thread.
class CallTurns {
 public:
  // While it lives, nobody else of this process decides about the call.
  class Turn {
   public:
    Turn(CallTurns& turns, Uuid call_id) : turns_(&turns), call_id_(call_id) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), call_id_(other.call_id_) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->pass_on(call_id_);
    }

   private:
    CallTurns* turns_;
    Uuid call_id_;
  };

  // Throws db::Unavailable if the turn does not come before the deadline.
  Task<Turn> take(Uuid call_id, std::chrono::steady_clock::time_point deadline);

 private:
  struct Waiter;
  using Queue = std::deque<std::shared_ptr<Waiter>>;

  void pass_on(const Uuid& call_id);

  std::mutex mutex_;
  std::unordered_map<Uuid, Queue> queues_;  // guarded by mutex_; an entry exists while somebody has the turn
};

}  // namespace call_service::services
