#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "database/models/model.hpp"

namespace call_service::db {

// Where a column stands among the model's. Throws std::logic_error if there is none of that name.
template <typename Model>
std::size_t column_index(std::string_view name) {
  const auto all = input_columns<Model>();
  const auto found = std::ranges::find(all, name, &Column::name);
  if (found == all.end()) throw std::logic_error(std::string(Model::table) + " has no column " + std::string(name));
  return static_cast<std::size_t>(found - all.begin());
}

// Some of a model's columns, in the model's order, for a statement that needs no others: each column of its input costs
// both sides something, NULL or not.
template <typename Model>
class Columns {
 public:
  // Throws std::logic_error if the model has no column of that name.
  Columns(std::initializer_list<std::string_view> names) {
    for (const auto name : names) chosen_[column_index<Model>(name)] = true;
  }

  // For a statement's `input`.
  std::vector<Column> input() const {
    std::vector<Column> columns;
    for_each([&](const Column& column) { columns.push_back(column); });
    return columns;
  }

  // Of a statement that returns a key and behind it these columns.
  std::vector<Type> keyed_types() const {
    std::vector<Type> types{Type::uuid};
    for_each([&](const Column& column) { types.push_back(column.type); });
    return types;
  }

  // "a, b", or with an alias "i.a, i.b".
  std::string list(std::string_view alias = {}) const {
    std::string list;
    for_each([&](const Column& column) {
      if (!list.empty()) list += ", ";
      if (!alias.empty()) list.append(alias).append(".");
      list += column.name;
    });
    return list;
  }

  // "a = i.a, b = i.b", `i` being the input.
  std::string assignments() const {
    std::string list;
    for_each([&](const Column& column) {
      if (!list.empty()) list += ", ";
      list.append(column.name).append(" = i.").append(column.name);
    });
    return list;
  }

  // Their values, behind those of other columns of the input.
  Row row(const Model& model, std::initializer_list<Value> before = {}) const {
    Row row;
    row.reserve(before.size() + static_cast<std::size_t>(std::ranges::count(chosen_, true)));
    row.insert(row.end(), before);
    std::size_t at = 0;
    const auto append = [&](const auto& member) {
      if (chosen_[at++]) row.push_back(to_value(member));
    };
    std::apply([&](const auto&... columns) { (append(model.*(columns.member)), ...); }, Model::columns());
    return row;
  }

  // A model of which only these columns are read, from those of `row` that begin at `offset`.
  Model read(const Row& row, std::size_t offset) const {
    Model model;
    std::size_t at = 0;
    const auto take = [&](auto& member) {
      if (chosen_[at++]) from_value(row.at(offset++), member);
    };
    std::apply([&](const auto&... columns) { (take(model.*(columns.member)), ...); }, Model::columns());
    return model;
  }

 private:
  void for_each(auto&& action) const {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (chosen_[i]) action(all_[i]);
    }
  }

  const std::vector<Column> all_ = input_columns<Model>();
  std::array<bool, std::tuple_size_v<decltype(Model::columns())>> chosen_{};
};

}  // namespace call_service::db
