#pragma once

#include <string_view>

namespace call_service {

// Tells systemd of a change ("READY=1", "STOPPING=1"; sd_notify(3)), if it started this process and wants to know.
// Never fails: without systemd nobody listens.
void tell_service_manager(std::string_view state);

}  // namespace call_service
