#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

namespace call_service::fake_livekit {

// The last entries of a record, each with a number `seq` that counts from 1. Safe on any thread.
template <typename Entry>
class Journal {
 public:
  static constexpr std::size_t capacity = 20'000;

  std::int64_t add(Entry entry) {
    const std::lock_guard lock(mutex_);
    entry.seq = ++last_;
    entries_.push_back(std::move(entry));
    if (entries_.size() > capacity) entries_.pop_front();
    return last_;
  }

  // Changes an entry that is still there.
  template <typename Change>
  void change(std::int64_t seq, Change change) {
    const std::lock_guard lock(mutex_);
    const std::int64_t first = last_ - static_cast<std::int64_t>(entries_.size()) + 1;
    if (seq >= first && seq <= last_) change(entries_[static_cast<std::size_t>(seq - first)]);
  }

  std::vector<Entry> after(std::int64_t seq) const {
    const std::lock_guard lock(mutex_);
    std::vector<Entry> found;
    for (const Entry& entry : entries_) {
      if (entry.seq > seq) found.push_back(entry);
    }
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::int64_t last_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace call_service::fake_livekit
