#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/ranges.hpp"
#include "database/command.hpp"
#include "wire/field.hpp"

// A model is a plain struct with a table of its columns, declared once:
//
//   struct User {
//     std::string user_id;
//     static constexpr std::string_view table = "users";
//     static constexpr auto columns() { return std::tuple{db::column("user_id", &User::user_id)}; }
//   };
//
// It gives the lists of columns in statements, values for them and structs from rows; a test compares it with the
// migrated databases. Enumerations are stored as text: they need `name_of(E)` and `parse(std::string_view, E&)` beside
// them.
namespace call_service::db {

template <typename Model, typename Member>
struct ColumnOf {
  std::string_view name{};
  Member Model::* member;
};

template <typename Model, typename Member>
constexpr ColumnOf<Model, Member> column(std::string_view name, Member Model::* member) {
  return {name, member};
}

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <typename Member>
constexpr Type column_type() {
  if constexpr (IsOptional<Member>::value) {
    return column_type<typename Member::value_type>();
  } else if constexpr (std::is_same_v<Member, Uuid>) {
    return Type::uuid;
  } else if constexpr (std::is_same_v<Member, Timestamp>) {
    return Type::timestamp;
  } else if constexpr (std::is_same_v<Member, bool>) {
    return Type::boolean;
  } else if constexpr (std::is_same_v<Member, wire::JsonObject> || std::is_same_v<Member, std::vector<std::string>>) {
    return Type::json;
  } else if constexpr (std::is_integral_v<Member>) {
    return Type::integer;
  } else {
    return Type::text;
  }
}

// A list of texts as a JSON array, and back.
std::string write_text_list(const std::vector<std::string>& texts);
std::vector<std::string> read_text_list(const std::string& json);

template <typename Member>
Value to_value(const Member& member) {
  if constexpr (IsOptional<Member>::value) {
    return member ? to_value(*member) : Value{};
  } else if constexpr (std::is_same_v<Member, wire::JsonObject>) {
    return member.text;
  } else if constexpr (std::is_same_v<Member, std::vector<std::string>>) {
    return write_text_list(member);
  } else if constexpr (std::is_enum_v<Member>) {
    return std::string(name_of(member));
  } else if constexpr (std::is_same_v<Member, bool>) {
    return member;
  } else if constexpr (std::is_integral_v<Member>) {
    return static_cast<std::int64_t>(member);
  } else {
    return member;
  }
}

template <typename Member>
void from_value(const Value& value, Member& member) {
  if constexpr (IsOptional<Member>::value) {
    if (std::holds_alternative<std::monostate>(value)) {
      member.reset();
    } else {
      from_value(value, member.emplace());
    }
  } else if constexpr (std::is_same_v<Member, wire::JsonObject>) {
    member.text = std::get<std::string>(value);
  } else if constexpr (std::is_same_v<Member, std::vector<std::string>>) {
    member = read_text_list(std::get<std::string>(value));
  } else if constexpr (std::is_enum_v<Member>) {
    parse(std::get<std::string>(value), member);
  } else if constexpr (std::is_same_v<Member, bool>) {
    member = std::get<bool>(value);
  } else if constexpr (std::is_integral_v<Member>) {
    member = static_cast<Member>(std::get<std::int64_t>(value));
  } else {
    member = std::get<Member>(value);
  }
}

// "a, b, c", or with an alias "t.a, t.b, t.c".
template <typename Model>
std::string column_list(std::string_view alias = {}) {
  std::string list{};
  const auto add = [&](std::string_view name) {
    if (!list.empty()) list += ", ";
    if (!alias.empty()) list.append(alias).append(".");
    list += name;
  };
  std::apply([&](const auto&... columns) { (add(columns.name), ...); }, Model::columns());
  return list;
}

// The same for RETURNING (database/dialect.hpp, {of:…}).
template <typename Model>
std::string returning_list(std::string_view alias) {
  std::string list;
  const auto add = [&](std::string_view name) {
    if (!list.empty()) list += ", ";
    list.append("{of:").append(alias).append("}").append(name);
  };
  std::apply([&](const auto&... columns) { (add(columns.name), ...); }, Model::columns());
  return list;
}

template <typename Model>
std::vector<Column> input_columns() {
  std::vector<Column> columns{};
  const auto add = [&]<typename Member>(const ColumnOf<Model, Member>& column) {
    columns.push_back({column.name, column_type<Member>()});
  };
  std::apply([&](const auto&... each) { (add(each), ...); }, Model::columns());
  return columns;
}

template <typename Model>
std::vector<Type> column_types() {
  std::vector<Type> types{};
  for (const auto& column : input_columns<Model>()) types.push_back(column.type);
  return types;
}

// What a statement returns that begins with the command's key and goes on with the model's columns, then `more`.
template <typename Model>
std::vector<Type> keyed_types(std::initializer_list<Type> more = {}) {
  std::vector<Type> types{Type::uuid};
  append(types, column_types<Model>());
  append(types, more);
  return types;
}

template <typename Model>
Row to_row(const Model& model) {
  Row row{};
  std::apply(
      [&](const auto&... columns) {
        row.reserve(sizeof...(columns) + 1);  // some get one more behind
        (row.push_back(to_value(model.*(columns.member))), ...);
      },
      Model::columns());
  return row;
}

// Reads a model from the columns of `row` that begin at `offset`.
template <typename Model>
Model from_row(const Row& row, std::size_t offset = 0) {
  Model model;
  std::apply([&](const auto&... columns) { (from_value(row.at(offset++), model.*(columns.member)), ...); },
             Model::columns());
  return model;
}

}  // namespace call_service::db
