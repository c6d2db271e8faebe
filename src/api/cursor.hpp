#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.hpp"
#include "error.hpp"
#include "wire/write.hpp"

// Cursors: where a list goes on. A cursor holds the place behind which the next page begins, as values of the list's
// order, so it stays right while rows are added; and a fingerprint of the list and its filters, so it does not fit
// another list. Nothing in it is secret or trusted: a forged one shows another part of what its user may see anyway.
namespace call_service::api {

// A row's place in its list: by a number (a time in milliseconds, a count), then by an id.
struct Position {
  std::int64_t number = 0;
  Uuid id{};
  bool operator==(const Position&) const = default;
};

// Of a list: 8 bytes that depend on what it lists and on the filters' values.
using ListId = std::array<std::uint8_t, 8>;

ListId list_id(std::string_view list, const std::optional<Uuid>& of_call, std::string_view filters);

// The list that a query asks for, whatever part of it. `of_call`: the call in the path, if there is one.
template <wire::Described T>
ListId list_id(T query, const std::optional<Uuid>& of_call) {
  query.cursor.reset();
  query.limit.reset();
  return list_id(T::schema_name, of_call, wire::write(query));
}

// Url-safe.
std::string encode_cursor(const ListId& list, const Position& after);

// A fault of parameter `cursor` if the text is no cursor, or one of another list.
std::expected<Position, Fault> decode_cursor(std::string_view text, const ListId& list);

}  // namespace call_service::api
