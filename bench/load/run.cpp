#include "run.hpp"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <memory>
#include <random>
#include <stdexcept>
#include <system_error>

#include "connection.hpp"

namespace load {

namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using namespace std::chrono_literals;

// How long nothing at all may come while answers are missing.
constexpr auto patience = 30s;

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::uint32_t microseconds(Clock::duration time) {
  return static_cast<std::uint32_t>(
      std::max<std::int64_t>(0, std::chrono::round<std::chrono::microseconds>(time).count()));
}

// When the requests of an open loop are due.
class Schedule {
 public:
  Schedule(Time begin, double rate) : due_(begin), gap_(rate) { advance(); }
  Time due() const { return due_; }
  void advance() { due_ += std::chrono::round<Clock::duration>(std::chrono::duration<double>(gap_(random_))); }

 private:
  Time due_;
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> gap_;
};

struct Client {
  explicit Client(std::uint16_t port) : connection(port) {}
  Connection connection;
  Time since;  // when its request was sent, or due
  std::uint64_t tag = 0;
  bool watched_for_writing = false;
};

class Loop {
 public:
  Loop(const Target& target, const Plan& plan, Workload& workload)
      : plan_(plan), workload_(workload), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < plan.connections; ++i) {
      auto& client = clients_.emplace_back(std::make_unique<Client>(target.port));
      watch(*client, EPOLL_CTL_ADD, EPOLLIN);
      free_.push_back(client.get());
    }
  }
  Loop(const Loop&) = delete;
  ~Loop() { ::close(epoll_); }

  Measured run() {
    const double cpu = cpu_seconds();
    begin_ = last_answer_ = Clock::now();
    end_ = begin_ + std::chrono::round<Clock::duration>(plan_.length);
    if (plan_.rate > 0) schedule_.emplace(begin_, plan_.rate);
    while (send_what_is_due()) wait();
    measured_.seconds = std::chrono::duration<double>(last_answer_ - begin_).count();
    measured_.cpu_seconds = cpu_seconds() - cpu;
    return std::move(measured_);
  }

 private:
  // False when everything is sent and answered.
  bool send_what_is_due() {
    const bool more = schedule_ ? send_scheduled() : send_closed();
    return more || free_.size() < clients_.size();
  }

  bool send_closed() {
    while (!free_.empty()) {
      const Time now = Clock::now();
      if (now >= end_ || !send_next(now)) return false;
    }
    return true;
  }

  bool send_scheduled() {
    for (Time now = Clock::now(); schedule_->due() < end_; schedule_->advance()) {
      if (now > end_ + (end_ - begin_)) {
        ++measured_.unsent;
        continue;
      }
      if (free_.empty() || schedule_->due() > now) return true;
      const Time could = std::max(schedule_->due(), free_since_);
      if (!send_next(schedule_->due())) return free_.size() < clients_.size();
      now = Clock::now();
      measured_.lateness.push_back(microseconds(now - could));
    }
    return false;
  }

  bool send_next(Time since) {
    auto request = workload_.next();
    if (!request) return false;
    Client& client = *free_.front();
    free_.pop_front();
    client.since = since;
    client.tag = request->tag;
    client.connection.send(std::move(request->text));
    watch_for_writing(client);
    return true;
  }

  void wait() {
    std::array<epoll_event, 256> events;
    const timespec limit = timeout();
    const int count = ::epoll_pwait2(epoll_, events.data(), events.size(), &limit, nullptr);
    if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll_pwait2");
    if (count == 0 && Clock::now() > last_answer_ + patience && free_.size() < clients_.size()) {
      throw std::runtime_error("an answer does not come");
    }
    for (int i = 0; i < count; ++i) proceed(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr));
  }

  timespec timeout() const {
    auto until = std::chrono::duration_cast<std::chrono::nanoseconds>(patience);
    if (schedule_ && !free_.empty() && schedule_->due() < end_) until = std::max(0ns, schedule_->due() - Clock::now());
    return {.tv_sec = until / 1s, .tv_nsec = (until % 1s).count()};
  }

  void proceed(Client& client) {
    const auto answer = client.connection.proceed();
    watch_for_writing(client);
    if (!answer) return;
    last_answer_ = Clock::now();
    if (free_.empty()) free_since_ = last_answer_;
    measured_.latencies.push_back(microseconds(last_answer_ - client.since));
    ++measured_.statuses[answer->status];
    if (!workload_.answered(client.tag, answer->status, answer->body)) ++measured_.wrong;
    free_.push_back(&client);
  }

  void watch_for_writing(Client& client) {
    const bool wanted = client.connection.wants_to_write();
    if (wanted == client.watched_for_writing) return;
    client.watched_for_writing = wanted;
    watch(client, EPOLL_CTL_MOD, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void watch(Client& client, int operation, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.ptr = &client}};
    if (::epoll_ctl(epoll_, operation, client.connection.descriptor(), &event) != 0) {
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
  }

  Plan plan_;
  Workload& workload_;
  int epoll_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::deque<Client*> free_;
  Time free_since_;  // since when there has been a free one
  Time begin_, end_, last_answer_;
  std::optional<Schedule> schedule_;
  Measured measured_;
};

}  // namespace

Measured run(const Target& target, const Plan& plan, Workload& workload) {
  return Loop(target, plan, workload).run();
}

}  // namespace load
