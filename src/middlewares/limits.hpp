#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "error.hpp"
#include "http/message.hpp"

namespace call_service::middlewares {

inline constexpr std::size_t body_limit = 64 * 1024;
inline constexpr std::size_t webhook_body_limit = 4 * 1024 * 1024;

// With the header known: whether the announced body is too large, of a type that is not among `types`, or encoded.
std::optional<Error> refuse_body(const http::Request& request, std::size_t limit,
                                 std::span<const std::string_view> types);

}  // namespace call_service::middlewares
