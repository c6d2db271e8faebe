#include "database/backlog.hpp"

#include <algorithm>

namespace call_service::db {

namespace {

using std::chrono::milliseconds;

// A command that has waited so long tells of a queue that stays; one that has not waited half as long, of its end.
constexpr milliseconds patience{500};
constexpr std::chrono::seconds window{1};

// The next batch may always wait: without it nothing would tell that the database is back.
constexpr std::size_t always = 256;
// A burst that a fast database empties in no time; also what bounds the memory.
constexpr std::size_t burst = 1024;

std::size_t of(Share share, std::size_t half) {
  return share == Share::whole ? 2 * half : half;
}

// A burst that came before the queue was seen to stay takes no room from those who are refused last.
std::size_t always_for(Share share) {
  return share == Share::whole ? burst + always : always;
}

}  // namespace

void Backlog::Rate::add(std::size_t count, Time now) {
  if (now - began_ >= window) {
    before_ = now - began_ < 2 * window ? running_ : 0;
    // Seconds follow each other without a gap, or the part of the former would be wrong.
    began_ = before_ != 0 ? began_ + window : now;
    running_ = 0;
  }
  running_ += count;
}

std::size_t Backlog::Rate::at(Time now) const {
  const auto gone = std::max(now - began_, Time::duration::zero());
  if (gone >= 2 * window) return 0;
  const auto part = [](std::size_t count, Time::duration left) {
    return static_cast<std::size_t>(static_cast<double>(count) * (std::chrono::duration<double>(left) / window));
  };
  if (gone >= window) return part(running_, 2 * window - gone);
  return running_ + part(before_, window - gone);
}

void Backlog::pushed(Time oldest, Time now) {
  waiting_.fetch_add(1, std::memory_order_relaxed);
  if (now - oldest > patience) stays_.store(true, std::memory_order_relaxed);
}

void Backlog::taken(std::size_t count, std::size_t left, Time oldest, Time now) {
  waiting_.fetch_sub(count, std::memory_order_relaxed);
  const auto waited = now - oldest;
  if (waited > patience) stays_.store(true, std::memory_order_relaxed);
  if (left == 0 && waited < patience / 2) stays_.store(false, std::memory_order_relaxed);
}

void Backlog::done(std::size_t count, Time now) {
  const std::lock_guard lock(mutex_);
  rate_.add(count, now);
}

bool Backlog::has_room(Share share, Time now) const {
  const std::size_t waiting = waiting_.load(std::memory_order_relaxed);
  if (waiting < always_for(share)) return true;
  if (!stays_.load(std::memory_order_relaxed)) return waiting < of(share, burst);
  const std::lock_guard lock(mutex_);
  return waiting < of(share, rate_.at(now) / 2);
}

}  // namespace call_service::db
