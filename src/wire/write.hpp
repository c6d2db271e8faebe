#pragma once

#include <string>
#include <string_view>

#include "wire/field.hpp"

namespace call_service::wire {

// Writes a described struct as JSON, members in the order of its table (those of its Base first).
template <Described T>
std::string write(const T& value);

// A JSON string literal, quotes included. Whatever the bytes, the result is valid and printable: what is not UTF-8
// becomes U+FFFD, control characters and line separators are escaped.
void append_string(std::string& out, std::string_view text);
std::string quote(std::string_view text);

// `"name":` of a member. The name is ours, not a client's: nothing in it is escaped.
void append_key(std::string& out, std::string_view name);

// A JSON string literal of UTF-8 that escapes only what JSON asks for: the shortest, for texts that are kept.
void append_plain_string(std::string& out, std::string_view text);

}  // namespace call_service::wire

#include "wire/write_impl.hpp"
