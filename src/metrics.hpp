#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the process counts and measures, in the text format of Prometheus (prometheus-cpp behind it). Like the log: one
// for the process, safe on any thread. Counting is a few relaxed atomic operations, never a lock or an allocation. The
// names are in metrics.cpp; docs/reference/metrics.md explains them.
namespace call_service::metrics {

class Counter {
 public:
  void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Without a value (as it begins, or after clear()) it is left out.
class Gauge {
 public:
  Gauge();
  explicit Gauge(double value) : value_(value) {}
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double change) { value_.fetch_add(change, std::memory_order_relaxed); }
  void clear();
  double value() const { return value_.load(std::memory_order_relaxed); }
  bool has_value() const;

 private:
  std::atomic<double> value_;
};

class Histogram {
 public:
  static constexpr std::size_t most_bounds = 16;

  // Upper bounds of the buckets, ascending, most_bounds at most; they must outlive this.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds) {}
  void observe(double value);

  std::span<const double> bounds() const { return bounds_; }
  // Not cumulative; the one behind the last bound is what exceeds it.
  std::uint64_t count_in(std::size_t bucket) const { return buckets_.at(bucket).value(); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::span<const double> bounds_;
  std::array<Counter, most_bounds + 1> buckets_;
  std::atomic<double> sum_{0};
};

// A label and the values it may have: never anything that a client can choose.
struct Label {
  std::string_view name;
  std::vector<std::string_view> values;
};

// A counter for each combination of the labels' values; all are there from the beginning. A value that is not declared
// counts as the last one of its label.
class Counters {
 public:
  explicit Counters(std::vector<Label> labels);
  void add(std::initializer_list<std::string_view> values);

  const std::vector<Label>& labels() const { return labels_; }
  const std::vector<Counter>& all() const { return counters_; }

 private:
  std::vector<Label> labels_;
  std::vector<Counter> counters_;  // the last label's value changes fastest
};

// The requests of one route of the API. Methods are names of static storage.
class Route {
 public:
  explicit Route(std::string pattern);
  void count(std::string_view method, int status, double seconds);

  struct Row {
    std::atomic<std::uint64_t> key{0};  // 0: free
    std::string_view method;
    int status = 0;
    std::atomic<bool> ready{false};
    Counter count;
  };
  const std::string& pattern() const { return pattern_; }
  std::span<const Row> rows() const { return rows_; }
  const Histogram& duration() const { return duration_; }

 private:
  std::string pattern_;
  std::array<Row, 64> rows_;  // more combinations than a route can answer
  Histogram duration_;
};

// For a pattern of the route table, or "none". Lives as long as the program; the same pattern gives the same object.
Route& route(std::string_view pattern);
std::vector<const Route*> routes();

struct Series {
  Gauge requests_in_flight{0};
  Gauge connections{0};
  Counters requests_shed;

  Counter calls_started;
  Counters calls_ended;
  Gauge calls_active;
  Gauge sessions_pending;
  Gauge sessions_active;

  Counters webhook_events;
  Counters webhooks_rejected;
  Histogram webhook_lag;
  Gauge webhook_last_accepted;

  Gauge livekit_reachable{1};
  Counters intents;
  Gauge outbox_intents;
  Gauge outbox_oldest_age;
  Counters repairs;
  Gauge unknown_rooms{0};

  Gauge database_up;
  Gauge database_queue{0};
  Counters database_errors;
  Histogram batch_size_read;
  Histogram batch_size_write;
  Histogram batch_duration_read;
  Histogram batch_duration_write;

  Series();
};

Series& series();

// All of it, and what the system knows of the process: version 0.0.4 of the text format.
std::string render();
inline constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace call_service::metrics
