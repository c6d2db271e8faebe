#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "wire/field.hpp"
#include "wire/json.hpp"
#include "wire/parameters.hpp"
#include "wire/place.hpp"
#include "wire/write.hpp"

namespace call_service::wire {
namespace detail {

// Where the faults of one reading are gathered.
class Faults {
 public:
  void add(const Place& place, std::string_view code, std::string detail);
  bool empty() const { return list_.empty(); }
  Error to_error() &&;

 private:
  std::vector<Fault> list_;
};

// Each reads one value under the rules of its member and adds what is wrong with it to the faults.
void read_value(JsonView json, std::string& out, const Rules& rules, const Place& place, Faults& faults);
void read_value(JsonView json, bool& out, const Rules& rules, const Place& place, Faults& faults);
void read_value(JsonView json, int& out, const Rules& rules, const Place& place, Faults& faults);
void read_value(JsonView json, std::int64_t& out, const Rules& rules, const Place& place, Faults& faults);
void read_value(JsonView json, Uuid& out, const Rules& rules, const Place& place, Faults& faults);
void read_value(JsonView json, Timestamp& out, const Rules& rules, const Place& place, Faults& faults);
void read_value(JsonView json, JsonObject& out, const Rules& rules, const Place& place, Faults& faults);

template <Described T>
void read_value(JsonView json, T& out, const Rules& rules, const Place& place, Faults& faults);
template <typename T>
void read_value(JsonView json, std::vector<T>& out, const Rules& rules, const Place& place, Faults& faults);
template <typename T>
void read_value(JsonView json, std::optional<T>& out, const Rules& rules, const Place& place, Faults& faults);

// Adds the fault `type` unless the value is of the kind.
bool expect_kind(JsonView json, JsonKind kind, const Place& place, Faults& faults);

// Checks the number of elements.
void check_size(std::size_t size, const Rules& rules, const Place& place, Faults& faults);

// The rules of a list's elements, from those of the list.
Rules item_rules(const Rules& rules);

void add_required(const Place& place, Faults& faults);

// Adds a fault for each of these members that an object lacks, or has as null.
void require_members(JsonView json, std::span<const std::string_view> names, Faults& faults);

void add_unknown(const Place& place, Faults& faults);

template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <typename T, typename Field>
void read_member(JsonView object, T& out, const Field& field, const Place& place, Faults& faults) {
  auto& member = out.*(field.member);
  const Place here(&place, field.name);
  if (const auto value = object.find(field.name)) {
    read_value(*value, member, field.rules, here, faults);
  } else if constexpr (!is_optional<std::remove_reference_t<decltype(member)>>) {
    add_required(here, faults);
  }
}

template <Described T>
void read_value(JsonView json, T& out, const Rules&, const Place& place, Faults& faults) {
  if (!expect_kind(json, JsonKind::object, place, faults)) return;
  static constexpr auto table = all_fields<T>();
  static constexpr auto names = std::apply(
      [](const auto&... fields) { return std::array<std::string_view, sizeof...(fields)>{fields.name...}; }, table);
  std::apply([&](const auto&... fields) { (read_member(json, out, fields, place, faults), ...); }, table);
  json.for_each_member([&](std::string_view key, JsonView) {
    if (std::ranges::find(names, key) == names.end()) add_unknown(Place(&place, key), faults);
  });
}

template <typename T>
void read_value(JsonView json, std::vector<T>& out, const Rules& rules, const Place& place, Faults& faults) {
  if (!expect_kind(json, JsonKind::array, place, faults)) return;
  check_size(json.size(), rules, place, faults);
  const Rules of_items = item_rules(rules);
  json.for_each_element([&](JsonView element) {
    T item{};
    read_value(element, item, of_items, Place(&place, out.size()), faults);
    out.push_back(std::move(item));
  });
}

template <typename T>
void read_value(JsonView json, std::optional<T>& out, const Rules& rules, const Place& place, Faults& faults) {
  if (json.is_null()) return;
  read_value(json, out.emplace(), rules, place, faults);
}

}  // namespace detail

template <Described T>
Result<T> read(std::string_view json, std::span<const std::string_view> also_required) {
  auto document = JsonDocument::parse(json.empty() ? "{}" : json);
  if (!document) return std::unexpected(std::move(document.error()));
  T out{};
  detail::Faults faults;
  detail::read_value(document->root(), out, Rules{}, Place{}, faults);
  detail::require_members(document->root(), also_required, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults).to_error());
  return out;
}

}  // namespace call_service::wire
