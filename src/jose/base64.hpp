#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace call_service::jose {

// base64url without padding (RFC 7515, 2).
void append_base64url(std::string& out, std::string_view bytes);
std::string encode_base64url(std::string_view bytes);

// Accepts exactly what encode_base64url writes: no padding, no white space, no other alphabet, unused bits zero.
std::optional<std::string> decode_base64url(std::string_view text);

// Standard base64 with padding (RFC 4648, 4).
std::string encode_base64(std::string_view bytes);

}  // namespace call_service::jose
