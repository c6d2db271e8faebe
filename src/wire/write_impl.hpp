#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "wire/field.hpp"
#include "wire/write.hpp"

namespace call_service::wire {

// The table of a struct with that of its Base in front.
template <Described T>
constexpr auto all_fields() {
  if constexpr (DescribedWithBase<T>) {
    return std::tuple_cat(all_fields<typename T::Base>(), T::fields());
  } else {
    return T::fields();
  }
}

namespace detail {

void append_value(std::string& out, const std::string& value);
void append_value(std::string& out, bool value);
void append_value(std::string& out, int value);
void append_value(std::string& out, std::int64_t value);
void append_value(std::string& out, const Uuid& value);
void append_value(std::string& out, Timestamp value);
void append_value(std::string& out, const JsonObject& value);

template <Described T>
void append_value(std::string& out, const T& value);
template <typename T>
void append_value(std::string& out, const std::vector<T>& values);
template <typename T>
void append_value(std::string& out, const std::optional<T>& value);

template <typename T>
bool is_absent(const T&) {
  return false;
}
template <typename T>
bool is_absent(const std::optional<T>& value) {
  return !value.has_value();
}

template <typename T, typename Field>
void append_member(std::string& out, const T& object, const Field& field, bool& first) {
  const auto& value = object.*(field.member);
  if (field.rules.omit_null && is_absent(value)) return;
  out += first ? '{' : ',';
  first = false;
  append_key(out, field.name);
  append_value(out, value);
}

template <Described T>
void append_value(std::string& out, const T& value) {
  static constexpr auto table = all_fields<T>();
  bool first = true;
  std::apply([&](const auto&... fields) { (append_member(out, value, fields, first), ...); }, table);
  out += first ? "{}" : "}";
}

template <typename T>
void append_value(std::string& out, const std::vector<T>& values) {
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    append_value(out, values[i]);
  }
  out += ']';
}

template <typename T>
void append_value(std::string& out, const std::optional<T>& value) {
  if (value) {
    append_value(out, *value);
  } else {
    out += "null";
  }
}

}  // namespace detail

template <Described T>
std::string write(const T& value) {
  std::string out;
  out.reserve(1536);  // a started call with its token
  detail::append_value(out, value);
  return out;
}

}  // namespace call_service::wire
