#include "doctor/doctor.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "app.hpp"
#include "commands/commands.hpp"
#include "jose/jws.hpp"
#include "log.hpp"

namespace call_service::commands {

namespace {

int status_of(const ConfigReading& reading, const doctor::Findings& findings) {
  if (!reading.faults.empty()) return exit_configuration;
  const auto is_problem = [](const doctor::Finding& finding) { return finding.level == doctor::Level::problem; };
  return std::ranges::any_of(findings, is_problem) ? exit_failure : exit_ok;
}

}  // namespace

int examine(const Environment& environment) {
  jose::initialize();
  log::configure(log::Level::error, log::Format::text);
  const auto reading = read_config_as_it_is(environment);
  const auto findings = doctor::examine(reading);
  doctor::print(std::cout, findings);
  std::cout.flush();
  // A check that was abandoned may still wait for its answer.
  std::_Exit(status_of(reading, findings));
}

}  // namespace call_service::commands
