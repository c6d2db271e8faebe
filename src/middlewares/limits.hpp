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
// A chunked body without a type may turn out to be empty: refuse_untyped_body() asks again when it was read.
std::optional<Error> refuse_body(const http::Request& request, std::size_t limit,
                                 std::span<const std::string_view> types);

// The most that the body may take: as announced, or `limit` of one whose length is not.
std::size_t body_bytes(const http::Request& request, std::size_t limit);

// With the body known: whether there is one that has no type.
std::optional<Error> refuse_untyped_body(const http::Request& request, std::span<const std::string_view> types);

Error body_too_large(std::size_t limit);

}  // namespace call_service::middlewares
