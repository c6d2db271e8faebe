#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config.hpp"

// Reads the values of variables. What is wrong is told as a remedy ("must be …") that never repeats the value, because
// it may hold a password.
namespace call_service::config_readers {

template <typename T>
using Read = std::expected<T, std::string>;

constexpr std::size_t min_secret_length = 32;

Read<std::int64_t> integer(std::string_view text, std::int64_t least, std::int64_t most);
Read<bool> truth(std::string_view text);

Read<std::string> database_url(std::string_view text);  // without "+driver"; postgres:// becomes postgresql://
Read<std::string> database_schema(std::string_view text);
Read<std::string> livekit_url(std::string_view text);
Read<std::string> jwks_url(std::string_view text);
Read<std::string> host(std::string_view text);
Read<std::string> secret(std::string_view text);
Read<std::string> key_name(std::string_view text);

// name:key,name:key
Read<std::vector<ServiceKey>> service_keys(std::string_view text);
Read<std::vector<SigningPair>> signing_pairs(std::string_view text);

// Normalised as browsers send them: lower case, without the scheme's own port.
Read<std::vector<std::string>> origins(std::string_view text);

Read<log::Level> log_level(std::string_view text);
Read<log::Format> log_format(std::string_view text);

// http becomes ws, https wss.
std::string to_websocket(std::string_view url);

// The host of a URL that was read, without brackets.
std::string_view host_of(std::string_view url);
bool is_loopback(std::string_view host);

}  // namespace call_service::config_readers
