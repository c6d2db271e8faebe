#include "log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "log_line.hpp"

namespace call_service::log {
namespace {

constexpr std::size_t max_buffered_bytes = 64 * 1024;
constexpr std::chrono::milliseconds max_delay{50};

// Gathers lines, so that a busy service makes one system call for many. A line is written at most max_delay later,
// warnings and errors at once. Where standard output cannot be written, lines are dropped: logging never stops the
// service.
class BufferedStdout final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  BufferedStdout() : flusher_([this](std::stop_token stop) { flush_now_and_then(stop); }) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::lock_guard lock(mutex_);
    const bool was_empty = buffer_.empty();
    buffer_.append(message.payload.data(), message.payload.size()).push_back('\n');
    if (buffer_.size() >= max_buffered_bytes) {
      write_out();
    } else if (was_empty) {
      filled_.notify_one();
    }
  }

  void flush_() override {
    const std::lock_guard lock(mutex_);
    write_out();
  }

 private:
  void flush_now_and_then(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (filled_.wait(lock, stop, [this] { return !buffer_.empty(); })) {
      filled_.wait_for(lock, stop, max_delay, [] { return false; });
      write_out();
    }
    write_out();
  }

  void write_out() {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
      const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (written < 0 && errno != EINTR) break;
      if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    }
    buffer_.clear();
  }

  std::mutex mutex_;
  std::condition_variable_any filled_;
  std::string buffer_;
  std::jthread flusher_;  // last: ends before what it uses
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
  spdlog::logger logger{"call-service", std::make_shared<BufferedStdout>()};
  std::atomic<Style> style = Style::json;

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
  output().logger.flush();
}

}  // namespace call_service::log
