#pragma once

#include <span>
#include <string_view>

#include "error.hpp"
#include "wire/field.hpp"

namespace call_service::wire {

// Reads a JSON text into a described struct.
//   malformed_json: not JSON, not UTF-8, duplicate keys, lone surrogates, nested deeper than 32, or anything after the
//   value
//   validation_failed: well-formed, with all the faults found, each with its JSON pointer
// An empty text is read as {} . `also_required`: optional members that must be there this time.
template <Described T>
Result<T> read(std::string_view json, std::span<const std::string_view> also_required = {});

}  // namespace call_service::wire

#include "wire/read_impl.hpp"
