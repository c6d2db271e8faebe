#pragma once

#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "wire/json.hpp"

// The members of a JWT's payload (RFC 7519) or of a JWS header.
namespace call_service::jose {

// nullopt if it is not a JSON object or names a member twice.
std::optional<wire::JsonDocument> parse_object(std::string_view json);

bool has(const wire::JsonDocument& claims, std::string_view name);

// The value of a text member; nullopt if absent or of another type. Views into `claims`.
std::optional<std::string_view> text_of(const wire::JsonDocument& claims, std::string_view name);

// Seconds since 1970, with or without a fraction (RFC 7519, NumericDate). A double holds every number JSON can carry,
// so that an absurd date cannot overflow.
using NumericDate = double;

// nullopt if absent, not a number, or not finite.
std::optional<NumericDate> date_of(const wire::JsonDocument& claims, std::string_view name);

NumericDate to_numeric_date(Timestamp at);

}  // namespace call_service::jose
