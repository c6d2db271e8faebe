#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "workload.hpp"

namespace load {

struct Plan {
  std::size_t connections = 1;
  std::chrono::duration<double> length{10};
  // Requests a second, at random times (a Poisson process, the same in every run) that no answer delays. 0: closed
  // loop, each connection sends again when it has its answer.
  double rate = 0;
};

struct Measured {
  double seconds = 0;  // until the last answer
  double cpu_seconds = 0;
  std::map<int, std::uint64_t> statuses;
  std::uint64_t wrong = 0;   // answers that the workload refuses
  std::uint64_t unsent = 0;  // open loop: due, and not sent even when as much time again had passed
  // In microseconds. In an open loop from the time at which the request was due: waiting for a free connection counts.
  std::vector<std::uint32_t> latencies;
  // How late the generator itself was with requests for which there was a connection.
  std::vector<std::uint32_t> lateness;
};

// Sends until the time is over or the workload has no more, and waits for the answers that are missing then.
Measured run(const Target& target, const Plan& plan, Workload& workload);

}  // namespace load
