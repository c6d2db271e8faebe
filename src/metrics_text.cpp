#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>

#include "metrics.hpp"

namespace call_service::metrics {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

ClientMetric counter_metric(Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  return metric;
}

ClientMetric gauge_metric(Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  return metric;
}

ClientMetric histogram_metric(Labels labels, const Histogram& histogram) {
  ClientMetric metric;
  metric.label = std::move(labels);
  std::uint64_t total = 0;
  const auto add = [&](std::size_t bucket, double bound) {
    total += histogram.count_in(bucket);
    metric.histogram.bucket.push_back({.cumulative_count = total, .upper_bound = bound});
  };
  for (std::size_t i = 0; i < histogram.bounds().size(); ++i) add(i, histogram.bounds()[i]);
  add(histogram.bounds().size(), std::numeric_limits<double>::infinity());
  metric.histogram.sample_count = total;
  metric.histogram.sample_sum = histogram.sum();
  return metric;
}

// The families in the order they are written.
class Page {
 public:
  void counter(std::string name, std::string help, double value) {
    family(std::move(name), std::move(help), MetricType::Counter).metric.push_back(counter_metric({}, value));
  }

  void counters(std::string name, std::string help, const Counters& counters) {
    MetricFamily& family = this->family(std::move(name), std::move(help), MetricType::Counter);
    for (std::size_t i = 0; i < counters.all().size(); ++i) {
      const auto value = static_cast<double>(counters.all()[i].value());
      family.metric.push_back(counter_metric(labels_at(counters.labels(), i), value));
    }
  }

  void gauge(std::string name, std::string help, const Gauge& gauge) {
    MetricFamily& family = this->family(std::move(name), std::move(help), MetricType::Gauge);
    if (gauge.has_value()) family.metric.push_back(gauge_metric({}, gauge.value()));
  }

  void gauge(std::string name, std::string help, double value) {
    gauge(std::move(name), std::move(help), Gauge(value));
  }

  MetricFamily& family(std::string name, std::string help, MetricType type) {
    return families_.emplace_back(
        MetricFamily{.name = std::move(name), .help = std::move(help), .type = type, .metric = {}});
  }

  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  static Labels labels_at(const std::vector<Label>& labels, std::size_t index) {
    Labels named(labels.size());
    for (std::size_t i = labels.size(); i-- > 0;) {
      const auto& values = labels[i].values;
      named[i] = {std::string(labels[i].name), std::string(values[index % values.size()])};
      index /= values.size();
    }
    return named;
  }

  std::vector<MetricFamily> families_;
};

void add_requests(Page& page) {
  const auto all = routes();
  auto& counts =
      page.family("call_service_http_requests_total",
                  "Requests answered, by route pattern (none: no such route), method and status.", MetricType::Counter);
  for (const Route* route : all) {
    for (const auto& row : route->rows()) {
      if (!row.ready.load(std::memory_order_acquire)) continue;
      Labels labels{
          {"route", route->pattern()}, {"method", std::string(row.method)}, {"status", std::to_string(row.status)}};
      counts.metric.push_back(counter_metric(std::move(labels), static_cast<double>(row.count.value())));
    }
  }
  auto& durations = page.family("call_service_http_request_duration_seconds",
                                "From the complete header of a request to its answer on the way out, by route pattern.",
                                MetricType::Histogram);
  for (const Route* route : all) {
    durations.metric.push_back(histogram_metric({{"route", route->pattern()}}, route->duration()));
  }
  page.gauge("call_service_http_requests_in_flight", "Requests begun and not yet answered.",
             series().requests_in_flight);
  page.counters("call_service_http_requests_shed_total",
                "Requests answered 503 overloaded, by class: reads, writes, ends of calls, webhooks.",
                series().requests_shed);
  page.gauge("call_service_http_connections", "Open client connections.", series().connections);
}

void add_calls(Page& page) {
  const Series& all = series();
  page.counter("call_service_calls_started_total", "Calls started by this process.",
               static_cast<double>(all.calls_started.value()));
  page.counters("call_service_calls_ended_total", "Calls that this process ended, by end_reason.", all.calls_ended);
  page.gauge("call_service_calls_active", "Calls now active in the database, whichever process started them.",
             all.calls_active);
  auto& sessions =
      page.family("call_service_sessions_open",
                  "Sessions now pending (token handed out) or active (connected) in the database.", MetricType::Gauge);
  const auto add = [&](std::string status, const Gauge& gauge) {
    if (gauge.has_value()) sessions.metric.push_back(gauge_metric({{"status", std::move(status)}}, gauge.value()));
  };
  add("pending", all.sessions_pending);
  add("active", all.sessions_active);
}

void add_webhooks(Page& page) {
  const Series& all = series();
  page.counters("call_service_webhook_events_total",
                "Webhooks signed by LiveKit, by the event's type and what became of it (failed: answered 5xx).",
                all.webhook_events);
  page.counters("call_service_webhooks_rejected_total", "Webhook requests that LiveKit did not sign, by reason.",
                all.webhooks_rejected);
  auto& lag =
      page.family("call_service_webhook_lag_seconds",
                  "From LiveKit's createdAt (whole seconds) to the arrival of the webhook.", MetricType::Histogram);
  lag.metric.push_back(histogram_metric({}, all.webhook_lag));
  page.gauge("call_service_webhook_last_accepted_timestamp_seconds",
             "When the last webhook signed by LiveKit arrived, Unix time.", all.webhook_last_accepted);
}

void add_livekit(Page& page) {
  const Series& all = series();
  page.gauge("call_service_livekit_reachable", "1 if LiveKit's API answered when it was last asked, else 0.",
             all.livekit_reachable);
  page.counters("call_service_livekit_intents_total",
                "Room deletions and removals of connections, by what LiveKit said (refused: tried again later).",
                all.intents);
  page.gauge("call_service_outbox_intents", "What LiveKit has yet to do: rows of the outbox.", all.outbox_intents);
  page.gauge("call_service_outbox_oldest_age_seconds", "Age of the oldest row of the outbox; 0 if it is empty.",
             all.outbox_oldest_age);
  page.counters("call_service_reconciler_repairs_total",
                "What this process corrected because LiveKit, asked, showed the record to be wrong, by kind.",
                all.repairs);
  page.gauge("call_service_livekit_unknown_rooms",
             "Rooms in LiveKit named like ours that are of no call in this database; never touched.",
             all.unknown_rooms);
}

void add_database(Page& page) {
  const Series& all = series();
  page.gauge("call_service_database_up", "1 if the database answered when what is open was last counted, else 0.",
             all.database_up);
  page.gauge("call_service_database_queue_depth", "Commands that wait for their batch.", all.database_queue);
  page.counters("call_service_database_errors_total",
                "Failures, by kind: no connection, connection lost, the outcome of a commit not known, no answer in "
                "time, statement refused.",
                all.database_errors);
  const auto add = [&](std::string name, std::string help, const Histogram& read, const Histogram& write) {
    auto& family = page.family(std::move(name), std::move(help), MetricType::Histogram);
    family.metric.push_back(histogram_metric({{"access", "read"}}, read));
    family.metric.push_back(histogram_metric({{"access", "write"}}, write));
  };
  add("call_service_database_batch_size", "Commands that shared one transaction.", all.batch_size_read,
      all.batch_size_write);
  add("call_service_database_batch_duration_seconds", "From a batch's first statement to the end of its commit.",
      all.batch_duration_read, all.batch_duration_write);
}

double resident_pages() {
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages;
}

double count_open_files() {
  std::error_code failure;
  const std::filesystem::directory_iterator open("/proc/self/fd", failure);
  // One of them is the directory that is being read.
  return failure ? 0 : static_cast<double>(std::distance(begin(open), end(open)) - 1);
}

// Unix time: the boot time and field 22 of stat, in clock ticks since then. The second field may hold blanks.
double start_time() {
  std::ifstream stat("/proc/self/stat");
  std::string text;
  std::getline(stat, text, ')');
  for (int field = 3; field <= 22; ++field) stat >> text;
  double booted = 0;
  std::ifstream system("/proc/stat");
  for (std::string word; system >> word;) {
    if (word == "btime") system >> booted;
  }
  return booted + std::strtod(text.c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double most_open_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

void add_process(Page& page) {
  auto& build = page.family("call_service_build_info", "1; the version is its label.", MetricType::Gauge);
  build.metric.push_back(gauge_metric({{"version", CALL_SERVICE_VERSION}}, 1));
  static const double started_at = start_time();
  page.counter("process_cpu_seconds_total", "Processor time used by the process, user and system.", cpu_seconds());
  page.gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.",
             resident_pages() * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  page.gauge("process_open_fds", "Open file descriptors.", count_open_files());
  page.gauge("process_max_fds", "File descriptors that may be open.", most_open_files());
  page.gauge("process_start_time_seconds", "When the process started, Unix time.", started_at);
}

}  // namespace

std::string render() {
  Page page;
  add_requests(page);
  add_calls(page);
  add_webhooks(page);
  add_livekit(page);
  add_database(page);
  add_process(page);
  return page.text();
}

}  // namespace call_service::metrics
