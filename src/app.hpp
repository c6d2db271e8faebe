#pragma once

#include <memory>

#include "config.hpp"

namespace call_service {

// The composition root: the only place that knows everything. Owns all parts, in the order of their dependencies, and
// runs the service.
class App {
 public:
  // Throws std::system_error if it cannot listen, db::Unavailable if the database does not answer.
  explicit App(const Config& config);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Serves until SIGTERM or SIGINT, then finishes what runs, 10 s at most. A second signal ends the process at once.
  void run();

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

// Exit statuses of the program (docs: the command line).
inline constexpr int exit_ok = 0;
inline constexpr int exit_failure = 1;
inline constexpr int exit_configuration = 2;

// The command `serve`: checks the database's schema (or brings it up to date), takes SQLite's lock, serves. Returns the
// exit status; faults are told on standard error.
int serve(const Config& config);

}  // namespace call_service
