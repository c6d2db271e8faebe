#include "database/engine.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/ranges.hpp"
#include "database/errors.hpp"
#include "log.hpp"
#include "metrics.hpp"

namespace call_service::db {

namespace {

namespace asio = boost::asio;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr Seconds answer_timeout{5};
constexpr Milliseconds shared_lock_timeout{50};
constexpr Milliseconds lone_lock_timeout{5000};
constexpr Milliseconds reconnect_pause{250};
// Each may take as long as its caller waits, so hardly any of them would still be served.
constexpr std::size_t most_waiting_loners = 512;

}  // namespace

// A command with its waiting caller. The timer is both the deadline and the wake-up: it belongs to the caller's thread,
// like everything here but `command` and `member`, which are the lane's until it posts the completion.
struct Engine::Pending {
  explicit Pending(Executor callers_thread, Command what)
      : command(std::move(what)),
        executor(callers_thread),
        since(std::chrono::steady_clock::now()),
        deadline(since + answer_timeout),
        timer(callers_thread, deadline) {
    member.command = &command;
  }

  Command command;
  Member member;
  Executor executor;
  const std::chrono::steady_clock::time_point since;
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
      if (!stopping_) return add(std::move(pending));
    }
    fail(std::move(pending), "the service is stopping");
  }

  // For what waits for a row that others hold.
  void push_loner(std::shared_ptr<Pending> pending) {
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_ && waiting_.size() < most_waiting_loners) return add(std::move(pending));
    }
    fail<Overloaded>(std::move(pending), "too many wait for rows that others hold");
  }

  bool has_room(Share share, std::chrono::steady_clock::time_point now) const { return backlog_.has_room(share, now); }

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

  // A row that others hold, until the last of those that were sent to wait for it has its answer.
  struct Held {
    Uuid key;
    std::weak_ptr<Pending> last;
  };

  // With the mutex held.
  void add(std::shared_ptr<Pending> pending) {
    const auto now = pending->since;
    waiting_.push_back(std::move(pending));
    backlog_.pushed(waiting_.front()->since, now);
    metrics::series().database_queue.add(1);
    wake_.notify_one();
  }

  void serve() {
    while (true) {
      Batch batch = take();
      if (batch.empty()) return;
      let_held_go(batch);
      if (!batch.empty() && connected(batch)) run(batch);
    }
  }

  // Everything that waits, up to the largest batch; nothing when the lane is to stop.
  Batch take() {
    while (true) {
      Batch abandoned;
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      const bool stops = stopping_;
      Batch batch = stops ? take_front(waiting_.size()) : take_wanted(abandoned);
      lock.unlock();
      fail_all(abandoned, "the command waited too long for its turn");
      if (stops) {
        fail_all(batch, "the service is stopping");
        return {};
      }
      if (!batch.empty()) return batch;
    }
  }

  // With the mutex held: the next batch. What nobody waits for any more takes no place in it and is not even begun.
  Batch take_wanted(Batch& abandoned) {
    const auto now = std::chrono::steady_clock::now();
    const auto is_abandoned = [&](const std::shared_ptr<Pending>& pending) { return pending->deadline <= now; };
    // They came in the order of their deadlines, but for a few whose callers overtook each other.
    const auto first = std::ranges::find_if_not(waiting_, is_abandoned);
    abandoned = take_front(static_cast<std::size_t>(first - waiting_.begin()));
    return take_front(std::min(waiting_.size(), largest_batch_));
  }

  // With the mutex held.
  Batch take_front(std::size_t count) {
    if (count == 0) return {};
    const auto oldest = waiting_.front()->since;
    Batch batch;
    if (count == waiting_.size()) {
      batch = std::exchange(waiting_, {});
    } else {
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
      batch.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
    }
    backlog_.taken(count, waiting_.size(), oldest, std::chrono::steady_clock::now());
    metrics::series().database_queue.add(-static_cast<double>(count));
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
      metrics::series().database_errors.add({"connect"});
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
      const bool done = connection_->run(members, patience(batch, now));
      measure(batch, now);
      if (!done) return run_apart(batch);
      backlog_.done(batch.size(), std::chrono::steady_clock::now());
      complete(std::move(batch));
    } catch (const OutcomeUnknown& error) {
      log::warning("database_lost", {{"error", error.what()}});
      metrics::series().database_errors.add({"outcome_unknown"});
      fail_all<OutcomeUnknown>(batch, error.what());
    } catch (const std::exception& error) {
      log::warning("database_unavailable", {{"error", error.what()}});
      metrics::series().database_errors.add({"lost"});
      fail_all(batch, error.what());
    }
  }

  static void measure(const Batch& batch, std::chrono::steady_clock::time_point began) {
    auto& series = metrics::series();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const bool reads = batch.front()->command.kind->access == CommandKind::Access::read;
    (reads ? series.batch_size_read : series.batch_size_write).observe(static_cast<double>(batch.size()));
    (reads ? series.batch_duration_read : series.batch_duration_write).observe(took.count());
    for (const auto& pending : batch) {
      if (pending->member.error) series.database_errors.add({"statement"});
    }
  }

  // Who wants a row for which others of this lane wait elsewhere waits there, too, or every batch would be spoiled by
  // it.
  void let_held_go(Batch& batch) {
    std::erase_if(held_, [](const Held& held) { return held.last.expired(); });
    if (held_.empty()) return;
    std::erase_if(batch, [&](std::shared_ptr<Pending>& pending) {
      const bool is_held = contains(held_, pending->command.key, &Held::key);
      if (is_held) run_elsewhere(std::move(pending));
      return is_held;
    });
  }

  // Somebody spoiled it for all: each runs on its own, and who then waits for a row that others hold waits elsewhere,
  // with whoever else of the batch wants that row.
  void run_apart(Batch& batch) {
    if (batch.size() == 1) return run_elsewhere(std::move(batch.front()));
    for (auto& pending : batch) {
      if (contains(held_, pending->command.key, &Held::key)) {
        run_elsewhere(std::move(pending));
        continue;
      }
      Batch alone;
      alone.push_back(std::move(pending));
      run(alone);
    }
  }

  void run_elsewhere(std::shared_ptr<Pending> pending) {
    if (loners_ == nullptr || loners_->empty()) return fail(std::move(pending), "the row is held by somebody else");
    const Uuid key = pending->command.key;
    const auto held = std::ranges::find(held_, key, &Held::key);
    if (held == held_.end()) {
      held_.push_back({key, pending});
    } else {
      held->last = pending;
    }
    (*loners_)[key.bytes.back() % loners_->size()]->push_loner(std::move(pending));
  }

  template <typename Reason = Unavailable>
  static bool fail_all(Batch& batch, const std::string& why) {
    for (auto& pending : batch) pending->member.error = std::make_exception_ptr(Reason(why));
    complete(std::move(batch));
    return false;
  }

  template <typename Reason = Unavailable>
  static void fail(std::shared_ptr<Pending> pending, const std::string& why) {
    Batch alone;
    alone.push_back(std::move(pending));
    fail_all<Reason>(alone, why);
  }

  // Hands commands back, to each of their callers' threads at once what is its own: waking a thread for every single
  // one costs more. The lane keeps nothing of them, so they are destroyed there, too.
  static void complete(Batch batch) {
    while (!batch.empty()) {
      const Executor executor = batch.front()->executor;
      const auto of_others =
          std::ranges::partition(batch, [&](const auto& each) { return each->executor == executor; });
      Batch others(std::make_move_iterator(of_others.begin()), std::make_move_iterator(of_others.end()));
      batch.erase(of_others.begin(), of_others.end());
      asio::post(executor, [batch = std::move(batch)] {
        for (const auto& pending : batch) {
          pending->done = true;
          pending->timer.cancel();
        }
      });
      batch = std::move(others);
    }
  }

  std::unique_ptr<Connection> connection_;
  const std::size_t largest_batch_;
  const Milliseconds lock_timeout_;
  std::vector<std::unique_ptr<Lane>>* const loners_;
  std::chrono::steady_clock::time_point reconnect_at_;
  std::vector<Held> held_;
  Backlog backlog_;

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

bool Engine::has_room(CommandKind::Access access, Share share) const {
  const auto now = std::chrono::steady_clock::now();
  const auto& lanes = access == CommandKind::Access::read ? readers_ : writers_;
  return std::ranges::all_of(lanes, [&](const auto& lane) { return lane->has_room(share, now); });
}

Task<CommandResult> Engine::execute(Command command) {
  const auto executor = co_await asio::this_coro::executor;
  const auto pending = std::make_shared<Pending>(executor, std::move(command));
  lane_for(pending->command).push(pending);
  co_await pending->timer.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  if (!pending->done) metrics::series().database_errors.add({"timeout"});
  if (!pending->done) throw Unavailable("no answer from the database within 5 s");
  if (pending->member.error) std::rethrow_exception(pending->member.error);
  co_return std::move(pending->member.result);
}

}  // namespace call_service::db
