#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "error.hpp"
#include "wire/field.hpp"
#include "wire/write.hpp"

// Reading the parameters of a query into a described struct, whose members are all optional texts, whole numbers and
// times. What is absent keeps the member's initializer, which is the parameter's default.
namespace call_service::wire {

using Parameter = std::pair<std::string, std::string>;  // name and value, decoded

// Reads what can be read and adds every fault: of a value, unknown_field for an unknown name, format for a name given
// more than once.
template <Described T>
T read_parameters(std::span<const Parameter> parameters, std::vector<Fault>& faults);

namespace detail {

// What is wrong with a value, or nothing.
struct ValueFault {
  std::string_view code;
  std::string detail;
};

inline constexpr std::string_view must_be_time = "must be a time as in RFC 3339, for example 2026-11-22T15:39:21.123Z";
std::string describe_range(std::int64_t least, std::int64_t most);

// Length, check and closed set of values.
std::optional<ValueFault> check_text(std::string_view text, const Rules& rules);

// Each reads one value under the rules of its member.
std::optional<ValueFault> read_text(std::string_view text, std::string& out, const Rules& rules);
std::optional<ValueFault> read_text(std::string_view text, int& out, const Rules& rules);
std::optional<ValueFault> read_text(std::string_view text, Timestamp& out, const Rules& rules);

// Adds the faults of the names themselves.
void check_names(std::span<const Parameter> parameters, std::span<const std::string_view> known,
                 std::vector<Fault>& faults);

template <typename T, typename Member>
void read_parameter(std::span<const Parameter> parameters, T& out, const FieldOf<T, std::optional<Member>>& field,
                    std::vector<Fault>& faults) {
  const auto given = std::ranges::find(parameters, field.name, &Parameter::first);
  if (given == parameters.end()) return;
  Member value{};
  if (auto fault = read_text(given->second, value, field.rules)) {
    faults.push_back({.parameter = std::string(field.name), .code = fault->code, .detail = std::move(fault->detail)});
  } else {
    out.*(field.member) = std::move(value);
  }
}

}  // namespace detail

template <Described T>
T read_parameters(std::span<const Parameter> parameters, std::vector<Fault>& faults) {
  static constexpr auto table = all_fields<T>();
  static constexpr auto names = std::apply(
      [](const auto&... fields) { return std::array<std::string_view, sizeof...(fields)>{fields.name...}; }, table);
  T out{};
  std::apply([&](const auto&... fields) { (detail::read_parameter(parameters, out, fields, faults), ...); }, table);
  detail::check_names(parameters, names, faults);
  return out;
}

}  // namespace call_service::wire
