#pragma once

#include <iosfwd>

#include "config.hpp"
#include "doctor/finding.hpp"

namespace call_service::doctor {

// Runs all checks that the configuration allows, each bounded in time: what is faulty in it leaves out what depends on
// it. Changes nothing.
Findings examine(const ConfigReading& reading);

// A line each: "ok", "warning" or "problem", the area, what is so, and what to do.
void print(std::ostream& out, const Findings& findings);

}  // namespace call_service::doctor
