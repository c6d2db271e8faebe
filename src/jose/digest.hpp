#pragma once

#include <string>
#include <string_view>

namespace call_service::jose {

// Raw digests of 32 bytes. Safe on any thread; throw std::runtime_error if OpenSSL cannot compute them.
std::string sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view bytes, std::string_view key);

// Takes a time that depends on the lengths only.
bool equal_in_constant_time(std::string_view left, std::string_view right);

}  // namespace call_service::jose
