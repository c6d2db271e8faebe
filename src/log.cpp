#include "log.hpp"

#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "log_line.hpp"

namespace call_service::log {
namespace {

constexpr std::size_t enough_bytes = 64 * 1024;
constexpr std::size_t most_bytes = 4 * 1024 * 1024;
constexpr std::size_t pipe_bytes = 4096;  // what a pipe takes at least when it says that it can be written (PIPE_BUF)
constexpr std::chrono::milliseconds max_delay{50};
constexpr std::chrono::milliseconds poll_length{100};
constexpr std::chrono::milliseconds last_patience{1000};

// Gathers lines, so that a busy service makes one system call for many, and never makes it wait: a thread of its own
// writes them, at most max_delay later, warnings and errors at once. Where standard output cannot be written, or
// whoever reads it does not, lines are dropped, and counted in the first that is written after that.
class BufferedStdout final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit BufferedStdout(const std::atomic<Style>& style)
      : style_(style), is_file_(is_regular_file()), writer_([this](std::stop_token stop) { run(stop); }) {}

  // What was logged before is written, if that is possible within last_patience.
  void wait_until_written() {
    std::unique_lock lock(mutex_);
    const std::uint64_t goal = taken_;
    is_urgent_ = true;
    filled_.notify_one();
    emptied_.wait_for(lock, last_patience, [&] { return done_ >= goal; });
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::lock_guard lock(mutex_);
    if (buffer_.size() + message.payload.size() >= most_bytes) {
      ++dropped_;
      return;
    }
    const bool was_empty = buffer_.empty();
    const bool was_enough = buffer_.size() >= enough_bytes;
    buffer_.append(message.payload.data(), message.payload.size()).push_back('\n');
    ++taken_;
    if (was_empty || (!was_enough && buffer_.size() >= enough_bytes)) filled_.notify_one();
  }

  void flush_() override {
    const std::lock_guard lock(mutex_);
    is_urgent_ = true;
    filled_.notify_one();
  }

 private:
  static bool is_regular_file() {
    struct stat about{};
    return ::fstat(STDOUT_FILENO, &about) == 0 && S_ISREG(about.st_mode);
  }

  void run(const std::stop_token& stop) {
    std::string lines;
    std::unique_lock lock(mutex_);
    const auto hurries = [this] { return is_urgent_ || buffer_.size() >= enough_bytes; };
    while (filled_.wait(lock, stop, [this] { return !buffer_.empty(); }) || !buffer_.empty()) {
      filled_.wait_for(lock, stop, max_delay, hurries);
      is_urgent_ = false;
      const std::uint64_t until = taken_;
      lines.swap(buffer_);
      const std::uint64_t dropped = std::exchange(dropped_, 0);
      lock.unlock();
      if (dropped > 0) append_loss(lines, dropped);
      write_out(lines, stop);
      lines.clear();
      lock.lock();
      done_ = until;
      emptied_.notify_all();
    }
  }

  void append_loss(std::string& lines, std::uint64_t dropped) {
    const std::array<Field, 1> fields{{{"lines", static_cast<std::int64_t>(dropped)}}};
    append_line(lines, style_, SystemClock{}.now(), Level::warning, "log_lines_dropped", {}, fields);
    lines.push_back('\n');
  }

  // A write to a pipe that nobody reads would never return, and the process never end.
  void write_out(std::string_view rest, const std::stop_token& stop) const {
    std::chrono::milliseconds waited{0};
    while (!rest.empty()) {
      pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      if (::poll(&output, 1, static_cast<int>(poll_length.count())) == 0) {
        waited += poll_length;
        if (stop.stop_requested() && waited >= last_patience) return;
        continue;
      }
      const ssize_t written =
          ::write(STDOUT_FILENO, rest.data(), is_file_ ? rest.size() : std::min(rest.size(), pipe_bytes));
      if (written < 0 && errno != EINTR && errno != EAGAIN) return;
      if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  const std::atomic<Style>& style_;
  const bool is_file_;
  std::mutex mutex_;
  std::condition_variable_any filled_;
  std::condition_variable_any emptied_;
  std::string buffer_;
  std::uint64_t taken_ = 0;    // lines put into the buffer
  std::uint64_t done_ = 0;     // of them, those that were written or could not be
  std::uint64_t dropped_ = 0;  // lines that found it full
  bool is_urgent_ = false;
  std::jthread writer_;  // last: ends before what it uses
};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

struct Output {
  std::atomic<Style> style = Style::json;
  std::shared_ptr<BufferedStdout> sink = std::make_shared<BufferedStdout>(style);
  spdlog::logger logger{"call-service", sink};

  Output() { logger.flush_on(spdlog::level::warn); }
};

Output& output() {
  static Output instance;
  return instance;
}

}  // namespace

void configure(Level level, Format format) {
  output().logger.set_level(to_spdlog(level));
  const bool coloured = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  output().style = format == Format::json ? Style::json : coloured ? Style::coloured_text : Style::text;
}

bool enabled(Level level) {
  return output().logger.should_log(to_spdlog(level));
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  write(level, event, {}, fields);
}

void write(Level level, std::string_view event, const Origin& origin, std::initializer_list<Field> fields) {
  Output& out = output();
  if (!out.logger.should_log(to_spdlog(level))) return;
  thread_local std::string line;
  line.clear();
  append_line(line, out.style, SystemClock{}.now(), level, event, origin, fields);
  out.logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void flush() {
  output().sink->wait_until_written();
}

}  // namespace call_service::log
