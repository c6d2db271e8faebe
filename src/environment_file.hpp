#pragma once

#include <expected>
#include <string>

#include "config.hpp"

namespace call_service {

// Reads variables from a file in the form of systemd's EnvironmentFile: NAME=value lines, comments after '#' or ';' at
// the beginning of a line, one pair of quotes around a value taken away. No escapes, no continued lines. As under
// systemd, what the file sets goes before the process environment. The error names file and line, never a value.
std::expected<Environment, std::string> read_environment_file(const std::string& path);

}  // namespace call_service
