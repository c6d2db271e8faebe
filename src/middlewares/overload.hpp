#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace call_service::db {
class Engine;
}

namespace call_service::middlewares {

// What a request asks for, as far as it matters who is refused first when there is too much of it: reads and writes
// are; what ends calls and what LiveKit tells are only refused when far more waits.
enum class Work { none, read, write, end, webhook };

// "read", "write", …; none has no name.
std::string_view name_of(Work work);

// Bytes that bodies may take at a time. Safe on any thread; must outlive what was taken.
class BodyMemory {
 public:
  class Taken {
   public:
    Taken(BodyMemory& memory, std::size_t bytes) : memory_(&memory), bytes_(bytes) {}
    Taken(Taken&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)), bytes_(other.bytes_) {}
    Taken& operator=(Taken&&) = delete;
    ~Taken() {
      if (memory_ != nullptr) memory_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
    }

   private:
    BodyMemory* memory_;
    std::size_t bytes_;
  };

  explicit BodyMemory(std::size_t bytes) : bytes_(bytes) {}

  // Nothing if there is no room: of the whole for what is refused last, of one half for all else.
  std::optional<Taken> take(Work work, std::size_t bytes);

 private:
  const std::size_t bytes_;
  std::atomic<std::size_t> used_{0};
};

// Says who is refused because more waits than the database gets done, or because bodies take too much memory.
class Overload {
 public:
  // `engine` must outlive this.
  explicit Overload(const db::Engine& engine) : engine_(engine) {}

  // Costs no more than looking at a few counters. Safe on any thread.
  bool has_room(Work work) const;

  BodyMemory& memory() { return memory_; }

 private:
  const db::Engine& engine_;
  BodyMemory memory_{128UL * 1024 * 1024};
};

}  // namespace call_service::middlewares
