#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>

namespace call_service::db {

// How much of a queue's room somebody may use: all of it only who is to be refused last.
enum class Share { half, whole };

// What waits for one lane, and whether more may come. A queue that the lane empties time and again is none, however
// long it gets in a burst; one that stays is held at what the lane got done lately, so that what is let in waits half a
// second (a second, for the whole share). Safe on any thread; the times of one lane do not run backwards.
class Backlog {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // A command begins to wait; the oldest that waits has done so since `oldest`.
  void pushed(Time oldest, Time now);

  // `count` commands wait no longer, since the lane takes them or nobody wants their answer any more; `left` still do.
  // The oldest of them had waited since `oldest`.
  void taken(std::size_t count, std::size_t left, Time oldest, Time now);

  // The database has carried out `count` commands.
  void done(std::size_t count, Time now);

  bool has_room(Share share, Time now) const;

 private:
  // How many were done in about the last second: that of the running second and, by the part of it that is less than a
  // second ago, of the one before.
  class Rate {
   public:
    void add(std::size_t count, Time now);
    std::size_t at(Time now) const;

   private:
    Time began_{};  // the running second
    std::size_t running_ = 0;
    std::size_t before_ = 0;
  };

  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> stays_{false};  // the queue has not been emptied for long
  mutable std::mutex mutex_;
  Rate rate_;  // guarded by mutex_
};

}  // namespace call_service::db
