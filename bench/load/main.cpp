// A load generator with one thread. Says on standard output, as JSON, what came of the load:
//   load WORKLOAD --port P [--connections N] [--seconds S] [--rate R] …
// The environment gives API_KEY, and LIVEKIT_KEY and LIVEKIT_SECRET for webhooks. Without --rate the loop is closed:
// each connection sends again when it has its answer. With it requests are due at random times that no answer delays,
// and latency counts from then, so that a server that stalls does not hide it by keeping the generator waiting.

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "calls.hpp"
#include "connection.hpp"
#include "run.hpp"
#include "webhooks.hpp"

namespace {

constexpr const char* usage =
    "load WORKLOAD --port P [--connections N] [--seconds S] [--rate R]\n"
    "  get --path PATH       the same GET over and over\n"
    "  lines --file FILE     requests from a file, `METHOD PATH` a line, over and over\n"
    "  starts                POST /calls\n"
    "  starts-or-shed        the same, 503 allowed\n"
    "  mix                   start, join of a second user, end, the same end again\n"
    "  joins --calls N       a third user joins so many calls, which are made before the time is taken\n"
    "  ends --calls N        they end\n"
    "  webhooks --calls N    LiveKit tells of what happens in them\n"
    "  hold                  one GET /health on each connection, which then stays open until standard input ends\n";

using Options = std::map<std::string, std::string>;

Options read_options(std::span<char*> arguments) {
  Options options{{"connections", "1"}, {"seconds", "10"}, {"rate", "0"}, {"path", "/health"}, {"calls", "1000"}};
  if (arguments.size() < 2 || arguments.size() % 2 != 0) throw std::invalid_argument(usage);
  options["workload"] = arguments[1];
  for (std::size_t i = 2; i < arguments.size(); i += 2) {
    const std::string name = arguments[i];
    if (!name.starts_with("--")) throw std::invalid_argument(usage);
    options[name.substr(2)] = arguments[i + 1];
  }
  return options;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

load::Measured checked(load::Measured measured) {
  if (measured.wrong > 0) throw std::runtime_error(std::to_string(measured.wrong) + " answers are not as they must be");
  return measured;
}

std::vector<load::MadeCall> make_calls(const Options& options, const load::Target& target, std::size_t connections) {
  load::MakeCalls calls(target, std::stoul(options.at("calls")));
  checked(load::run(target, {.connections = std::max<std::size_t>(connections, 32), .length = std::chrono::hours(1)},
                    calls));
  return calls.take();
}

std::unique_ptr<load::Workload> workload_on_calls(const Options& options, const load::Target& target,
                                                  std::vector<load::MadeCall> calls) {
  const std::string& name = options.at("workload");
  if (name == "webhooks") {
    constexpr std::size_t calls_at_once = 200;
    const load::Signer signer{environment("LIVEKIT_KEY"), environment("LIVEKIT_SECRET")};
    return std::make_unique<load::Webhooks>(signer, std::move(calls), calls_at_once);
  }
  std::vector<std::string> lines;
  for (const auto& call : calls)
    lines.push_back("POST /calls/" + call.call_id + (name == "ends" ? "/end" : "/join/third"));
  return std::make_unique<load::Lines>(target, lines, false);
}

std::unique_ptr<load::Workload> make_workload(const Options& options, const load::Target& target,
                                              const load::Plan& plan) {
  const std::string& name = options.at("workload");
  if (name == "get") return std::make_unique<load::Get>(target, options.at("path"));
  if (name == "lines") return std::make_unique<load::Lines>(target, load::read_lines(options.at("file")), true);
  if (name == "starts" || name == "starts-or-shed") return std::make_unique<load::Starts>(target, name != "starts");
  if (name == "mix") return std::make_unique<load::Mix>(target);
  if (name != "webhooks" && name != "joins" && name != "ends") throw std::invalid_argument(usage);
  return workload_on_calls(options, target, make_calls(options, target, plan.connections));
}

// Connections that have had an answer each stay open until standard input ends.
void hold(const load::Target& target, std::size_t count) {
  std::vector<std::unique_ptr<load::Connection>> connections;
  std::uint64_t good = 0;
  while (connections.size() < count) {
    auto& connection = *connections.emplace_back(std::make_unique<load::Connection>(target.port));
    connection.send(load::write_request(target, "GET /health"));
    auto answer = connection.proceed();
    for (pollfd ready{connection.descriptor(), POLLIN, 0}; !answer; answer = connection.proceed()) {
      if (::poll(&ready, 1, 30'000) != 1) throw std::runtime_error("an answer does not come");
    }
    good += answer->status == 200;
  }
  std::printf("{\"statuses\": {\"200\": %lu}}\n", good);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}

// Of sorted values, in milliseconds.
double percentile(std::span<const std::uint32_t> values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size()));
  return values[std::min(at, values.size() - 1)] / 1000.0;
}

void print(load::Measured measured) {
  std::ranges::sort(measured.latencies);
  std::ranges::sort(measured.lateness);
  std::printf("{\"seconds\": %.6f, \"cpu_seconds\": %.6f, \"unsent\": %lu, \"statuses\": {", measured.seconds,
              measured.cpu_seconds, measured.unsent);
  const char* comma = "";
  for (const auto& [status, count] : measured.statuses) {
    std::printf("%s\"%d\": %lu", comma, status, count);
    comma = ", ";
  }
  std::printf("}, \"latency_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"p99.9\": %.3f, \"max\": %.3f}, \"late_ms\": %.3f}\n",
              percentile(measured.latencies, 0.5), percentile(measured.latencies, 0.99),
              percentile(measured.latencies, 0.999), percentile(measured.latencies, 1),
              percentile(measured.lateness, 0.99));
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) try {
  const Options options = read_options({arguments, static_cast<std::size_t>(count)});
  const load::Target target{static_cast<std::uint16_t>(std::stoul(options.at("port"))), environment("API_KEY")};
  const load::Plan plan{.connections = std::stoul(options.at("connections")),
                        .length = std::chrono::duration<double>(std::stod(options.at("seconds"))),
                        .rate = std::stod(options.at("rate"))};
  if (options.at("workload") == "hold") {
    hold(target, plan.connections);
    return 0;
  }
  const auto workload = make_workload(options, target, plan);
  print(checked(load::run(target, plan, *workload)));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
