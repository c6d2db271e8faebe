#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "database/command.hpp"

// PostgreSQL's binary formats of the types we use (src/backend/utils/adt: array_recv, uuid_recv, timestamptz_recv, …).
// Binary results do not depend on session settings such as TimeZone, so no SET is needed and poolers cannot get in the
// way.
namespace call_service::db::postgres {

// The object id of the array type of `type`.
std::uint32_t array_oid(Type type);

// Appends column `index` of the rows as a one-dimensional array.
void append_array(std::string& out, Type type, std::span<const Row* const> rows, std::size_t index);

// One value as it came. Throws std::runtime_error if its length does not fit its type.
Value decode(Type type, std::string_view bytes);

}  // namespace call_service::db::postgres
