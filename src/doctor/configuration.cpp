#include "doctor/checks.hpp"

namespace call_service::doctor {

namespace {

constexpr std::string_view area = "configuration";

// "NAME: what is so; what to do" reads better as it is than cut into pieces.
Finding as_told(Level level, const std::string& line) {
  return {level, std::string(area), line, ""};
}

}  // namespace

Findings check_configuration(const ConfigReading& reading) {
  Findings findings;
  for (const auto& fault : reading.faults) findings.push_back(as_told(Level::problem, fault));
  if (findings.empty()) findings.push_back(as_told(Level::ok, "can be read"));
  for (const auto& warning : config_warnings(reading.config)) findings.push_back(as_told(Level::warning, warning));
  if (reading.config.migrate_on_start && !reading.config.uses_sqlite()) {
    findings.push_back(as_told(Level::warning,
                               "MIGRATE_ON_START: every replica that starts changes the schema; unset it, and run "
                               "call-service migrate upgrade once before each new release"));
  }
  return findings;
}

}  // namespace call_service::doctor
