#include "api/cursor.hpp"

#include <algorithm>

#include "jose/base64.hpp"
#include "jose/digest.hpp"

namespace call_service::api {

namespace {

// What databases and texts can hold; a count never gets so far.
constexpr std::int64_t first_number = -62'167'219'200'000;  // 0000-01-01
constexpr std::int64_t last_number = 253'402'300'799'999;   // 9999-12-31

constexpr std::size_t number_size = 8;

template <typename Bytes>
void append_bytes(std::string& out, const Bytes& bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

template <typename Bytes>
void take_bytes(std::string_view& text, Bytes& bytes) {
  std::ranges::copy(text.substr(0, bytes.size()), bytes.begin());
  text.remove_prefix(bytes.size());
}

std::unexpected<Fault> refuse(std::string detail) {
  return std::unexpected(Fault{.parameter = "cursor", .code = "format", .detail = std::move(detail)});
}

}  // namespace

ListId list_id(std::string_view list, const std::optional<Uuid>& of_call, std::string_view filters) {
  std::string text(list);
  text += '\n';
  if (of_call) of_call->append_to(text);
  text += '\n';
  text += filters;
  ListId id{};
  const std::string digest = jose::sha256(text);
  std::string_view front = digest;
  take_bytes(front, id);
  return id;
}

std::string encode_cursor(const ListId& list, const Position& after) {
  std::string bytes;
  append_bytes(bytes, list);
  for (std::size_t i = number_size; i-- > 0;) {
    bytes += static_cast<char>(static_cast<std::uint64_t>(after.number) >> (8 * i) & 0xFF);
  }
  append_bytes(bytes, after.id.bytes);
  return jose::encode_base64url(bytes);
}

std::expected<Position, Fault> decode_cursor(std::string_view text, const ListId& list) {
  const auto bytes = jose::decode_base64url(text);
  ListId made_for{};
  Position position;
  if (!bytes || bytes->size() != made_for.size() + number_size + position.id.bytes.size()) {
    return refuse("is not a cursor of ours");
  }
  std::string_view rest = *bytes;
  take_bytes(rest, made_for);
  std::array<std::uint8_t, number_size> number{};
  take_bytes(rest, number);
  take_bytes(rest, position.id.bytes);
  std::uint64_t value = 0;
  for (const auto byte : number) value = value << 8 | byte;
  position.number = static_cast<std::int64_t>(value);
  if (position.number < first_number || position.number > last_number) return refuse("is not a cursor of ours");
  if (made_for != list) return refuse("was made for another list or with other filters");
  return position;
}

}  // namespace call_service::api
