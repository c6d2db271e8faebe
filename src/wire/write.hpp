#pragma once

#include <string>

#include "wire/field.hpp"

namespace call_service::wire {

// Writes a described struct as JSON, members in the order of its table (those of its Base first).
template <Described T>
std::string write(const T& value);

// A JSON string literal, quotes included.
void append_string(std::string& out, std::string_view text);

}  // namespace call_service::wire

#include "wire/write_impl.hpp"
