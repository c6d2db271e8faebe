#include "metrics.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <mutex>

namespace call_service::metrics {

namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

// Seconds. Start, join and end take about a millisecond; 5 s is when a request gives up on the database.
constexpr std::array request_bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0};
constexpr std::array batch_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0};
constexpr std::array size_bounds{1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0};
// LiveKit's times of events have whole seconds, so up to 1 s is no delay; its own retries reach 15 s.
constexpr std::array lag_bounds{1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0, 900.0};

struct Routes {
  std::mutex mutex;
  std::deque<Route> all;
};

Routes& known_routes() {
  static Routes routes;
  return routes;
}

std::size_t index_of(const Label& label, std::string_view value) {
  const auto found = std::ranges::find(label.values, value);
  return std::min(static_cast<std::size_t>(found - label.values.begin()), label.values.size() - 1);
}

std::size_t combinations(const std::vector<Label>& labels) {
  std::size_t count = 1;
  for (const Label& label : labels) count *= label.values.size();
  return count;
}

}  // namespace

Gauge::Gauge() : value_(no_value) {}

void Gauge::clear() {
  set(no_value);
}

bool Gauge::has_value() const {
  return !std::isnan(value());
}

void Histogram::observe(double value) {
  const auto bound = std::ranges::lower_bound(bounds_, value);
  buckets_.at(static_cast<std::size_t>(bound - bounds_.begin())).add();
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Counters::Counters(std::vector<Label> labels) : labels_(std::move(labels)), counters_(combinations(labels_)) {}

void Counters::add(std::initializer_list<std::string_view> values) {
  std::size_t index = 0;
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    index = index * labels_[i].values.size() + index_of(labels_[i], values.begin()[i]);
  }
  counters_[index].add();
}

Route::Route(std::string pattern) : pattern_(std::move(pattern)), duration_(request_bounds) {}

// The row is found by its key, or taken by whoever writes the key first.
void Route::count(std::string_view method, int status, double seconds) {
  duration_.observe(seconds);
  const std::uint64_t wanted = reinterpret_cast<std::uintptr_t>(method.data()) * 1000 + static_cast<unsigned>(status);
  for (Row& row : rows_) {
    std::uint64_t key = row.key.load(std::memory_order_relaxed);
    if (key == 0 && row.key.compare_exchange_strong(key, wanted, std::memory_order_relaxed)) {
      row.method = method;
      row.status = status;
      row.ready.store(true, std::memory_order_release);
      key = wanted;
    }
    if (key == wanted) return row.count.add();
  }
}

Route& route(std::string_view pattern) {
  const std::lock_guard lock(known_routes().mutex);
  auto& all = known_routes().all;
  const auto found = std::ranges::find(all, pattern, &Route::pattern);
  return found != all.end() ? *found : all.emplace_back(std::string(pattern));
}

std::vector<const Route*> routes() {
  const std::lock_guard lock(known_routes().mutex);
  std::vector<const Route*> all;
  for (const Route& route : known_routes().all) all.push_back(&route);
  return all;
}

Series::Series()
    : requests_shed({{"class", {"read", "write", "end", "webhook"}}}),
      calls_ended({{"reason", {"ended", "room_finished", "never_joined", "max_duration", "reconciled", "other"}}}),
      webhook_events({{"type",
                       {"room_started", "room_finished", "participant_joined", "participant_left",
                        "participant_connection_aborted", "other"}},
                      {"result", {"applied", "duplicate", "ignored", "malformed", "failed"}}}),
      webhooks_rejected({{"reason", {"issuer", "signature", "expired", "hash"}}}),
      webhook_lag(lag_bounds),
      intents({{"kind", {"delete_room", "remove_participant", "other"}}, {"result", {"done", "refused"}}}),
      repairs({{"kind",
                {"session_joined", "session_ended", "call_ended", "room_recorded", "room_deletion_requested",
                 "connection_removed"}}}),
      database_errors({{"kind", {"connect", "lost", "outcome_unknown", "timeout", "statement"}}}),
      batch_size_read(size_bounds),
      batch_size_write(size_bounds),
      batch_duration_read(batch_bounds),
      batch_duration_write(batch_bounds) {}

Series& series() {
  static Series instance;
  return instance;
}

}  // namespace call_service::metrics
