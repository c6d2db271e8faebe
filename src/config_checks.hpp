#pragma once

#include <string>
#include <vector>

#include "config.hpp"

namespace call_service {

// What no variable can tell by itself: that somebody can authenticate at all, and that who holds one of LiveKit's
// secrets cannot make user tokens or pass as a service. Adds a line for each fault. The environment tells a variable
// that is missing from one that is set but faulty, which has its own line.
void check_secrets(const Config& config, const Environment& environment, std::vector<std::string>& faults);

// That two listeners do not ask for the same port.
void check_ports(const Config& config, std::vector<std::string>& faults);

}  // namespace call_service
