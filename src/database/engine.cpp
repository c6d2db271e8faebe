#include "database/engine.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "database/errors.hpp"
#include "log.hpp"

namespace call_service::db {

namespace {

namespace asio = boost::asio;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr Seconds answer_timeout{5};
constexpr Milliseconds shared_lock_timeout{50};
constexpr Milliseconds lone_lock_timeout{5000};
constexpr Milliseconds reconnect_pause{250};

}  // namespace

// A command with its waiting caller. The timer is both the deadline and the wake-up: it belongs to the caller's thread,
// like everything here but `command` and `member`, which are the lane's until it posts the completion.
struct Engine::Pending {
  explicit Pending(Executor callers_thread, Command what)
      : command(std::move(what)),
        executor(callers_thread),
        deadline(std::chrono::steady_clock::now() + answer_timeout),
        timer(callers_thread, deadline) {
    member.command = &command;
  }

  Command command;
  Member member;
  Executor executor;
  const std::chrono::steady_clock::time_point deadline;  // its caller waits no longer
  Timer timer;
  bool done = false;
};

class Engine::Lane {
 public:
  Lane(std::unique_ptr<Connection> connection, std::size_t largest_batch, Milliseconds lock_timeout,
       std::vector<std::unique_ptr<Lane>>* loners)
      : connection_(std::move(connection)),
        largest_batch_(largest_batch),
        lock_timeout_(lock_timeout),
        loners_(loners),
        thread_([this] { serve(); }) {}

  ~Lane() { stop(); }

  void push(std::shared_ptr<Pending> pending) {
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_) {
        waiting_.push_back(std::move(pending));
        wake_.notify_one();
        return;
      }
    }
    fail(std::move(pending), "the service is stopping");
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      wake_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  using Batch = std::vector<std::shared_ptr<Pending>>;

  void serve() {
    while (true) {
      Batch batch = take();
      if (batch.empty()) return;
      if (connected(batch)) run(batch);
    }
  }

  // Everything that waits, up to the largest batch; nothing when the lane is to stop.
  Batch take() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) {
      Batch rest = std::exchange(waiting_, {});
      lock.unlock();
      fail_all(rest, "the service is stopping");
      return {};
    }
    if (waiting_.size() <= largest_batch_) return std::exchange(waiting_, {});
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(largest_batch_);
    Batch batch(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    return batch;
  }

  // While the database is away it is asked again after a pause, not for each batch; what comes meanwhile waits for
  // that, or a command would be refused when the database is back already.
  bool connected(Batch& batch) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_until(lock, reconnect_at_, [this] { return stopping_; });
    }
    try {
      connection_->open();
      return true;
    } catch (const std::exception& error) {
      reconnect_at_ = std::chrono::steady_clock::now() + reconnect_pause;
      log::warning("database_unavailable", {{"error", error.what()}});
      return fail_all(batch, error.what());
    }
  }

  // Nobody waits for the answer any more: the command is not even begun.
  static void drop_abandoned(Batch& batch, std::chrono::steady_clock::time_point now) {
    std::erase_if(batch, [&](std::shared_ptr<Pending>& pending) {
      if (pending->deadline > now) return false;
      fail(std::move(pending), "the command waited too long for its turn");
      return true;
    });
  }

  // As long as the lane's commands may wait for rows of others, but no longer than the first of their callers.
  Milliseconds patience(const Batch& batch, std::chrono::steady_clock::time_point now) const {
    auto longest = lock_timeout_;
    for (const auto& pending : batch) {
      longest = std::min(longest, std::chrono::ceil<Milliseconds>(pending->deadline - now));
    }
    return longest;
  }

  void run(Batch& batch) {
    const auto now = std::chrono::steady_clock::now();
    drop_abandoned(batch, now);
    if (batch.empty()) return;
    std::vector<Member*> members;
    members.reserve(batch.size());
    for (const auto& pending : batch) members.push_back(&pending->member);
    try {
      if (!connection_->run(members, patience(batch, now))) return run_apart(batch);
      for (auto& pending : batch) complete(std::move(pending));
    } catch (const OutcomeUnknown& error) {
      log::warning("database_lost", {{"error", error.what()}});
      fail_all<OutcomeUnknown>(batch, error.what());
    } catch (const std::exception& error) {
      log::warning("database_unavailable", {{"error", error.what()}});
      fail_all(batch, error.what());
    }
  }

  // Somebody spoiled it for all: each runs on its own, and who then waits for a row that others hold waits elsewhere.
  void run_apart(Batch& batch) {
    const bool was_alone = batch.size() == 1;
    for (auto& pending : batch) {
      if (!was_alone) {
        Batch alone;
        alone.push_back(std::move(pending));
        run(alone);
      } else if (loners_ != nullptr && !loners_->empty()) {
        auto& loner = (*loners_)[pending->command.key.bytes.back() % loners_->size()];
        loner->push(std::move(pending));
      } else {
        fail(std::move(pending), "the row is held by somebody else");
      }
    }
  }

  template <typename Reason = Unavailable>
  static bool fail_all(Batch& batch, const std::string& why) {
    for (auto& pending : batch) fail<Reason>(std::move(pending), why);
    return false;
  }

  template <typename Reason = Unavailable>
  static void fail(std::shared_ptr<Pending> pending, const std::string& why) {
    pending->member.error = std::make_exception_ptr(Reason(why));
    complete(std::move(pending));
  }

  // Hands the command back to its caller's thread; the lane keeps nothing of it, so it is destroyed there too.
  static void complete(std::shared_ptr<Pending> pending) {
    const Executor executor = pending->executor;
    asio::post(executor, [pending = std::move(pending)] {
      pending->done = true;
      pending->timer.cancel();
    });
  }

  std::unique_ptr<Connection> connection_;
  const std::size_t largest_batch_;
  const Milliseconds lock_timeout_;
  std::vector<std::unique_ptr<Lane>>* const loners_;
  std::chrono::steady_clock::time_point reconnect_at_;

  std::mutex mutex_;
  std::condition_variable wake_;
  Batch waiting_;
  bool stopping_ = false;

  std::thread thread_;  // last: it uses all of the above
};

Engine::Engine(Dialect dialect, Options options, const ConnectionFactory& connect) : dialect_(std::move(dialect)) {
  for (std::size_t i = 0; i < options.loners; ++i) {
    loners_.push_back(std::make_unique<Lane>(connect(ConnectionRole::write), 1, lone_lock_timeout, nullptr));
  }
  const auto add = [&](std::vector<std::unique_ptr<Lane>>& lanes, std::size_t count, ConnectionRole role) {
    for (std::size_t i = 0; i < count; ++i) {
      lanes.push_back(std::make_unique<Lane>(connect(role), options.largest_batch, shared_lock_timeout, &loners_));
    }
  };
  add(writers_, options.writers, ConnectionRole::write);
  add(readers_, options.readers, ConnectionRole::read);
}

Engine::~Engine() {
  stop();
}

void Engine::stop() {
  for (auto* lanes : {&writers_, &readers_, &loners_}) {
    for (auto& lane : *lanes) lane->stop();
  }
}

Engine::Lane& Engine::lane_for(const Command& command) {
  if (command.kind->access == CommandKind::Access::read) {
    return *readers_[next_reader_.fetch_add(1, std::memory_order_relaxed) % readers_.size()];
  }
  return *writers_[command.key.bytes.back() % writers_.size()];
}

Task<CommandResult> Engine::execute(Command command) {
  const auto executor = co_await asio::this_coro::executor;
  const auto pending = std::make_shared<Pending>(executor, std::move(command));
  lane_for(pending->command).push(pending);
  co_await pending->timer.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  if (!pending->done) throw Unavailable("no answer from the database within 5 s");
  if (pending->member.error) std::rethrow_exception(pending->member.error);
  co_return std::move(pending->member.result);
}

}  // namespace call_service::db
