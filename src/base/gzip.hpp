#pragma once

#include <string>
#include <string_view>

namespace call_service {

// Unpacks gzip (RFC 1952). Throws std::runtime_error if it is none: what the program carries along always is.
std::string gunzip(std::string_view packed);

}  // namespace call_service
