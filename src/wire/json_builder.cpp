#include "wire/json_builder.hpp"

#include <algorithm>

#include "wire/place.hpp"

namespace call_service::wire {
namespace {

std::uint32_t index_of_end(const auto& container) {
  return static_cast<std::uint32_t>(container.size());
}

}  // namespace

bool JsonBuilder::add(Node node) {
  node.after = index_of_end(document_.nodes_) + 1;
  document_.nodes_.push_back(node);
  return true;
}

bool JsonBuilder::add_part(Text text) {
  document_.characters_.append(text.data(), text.size());
  return true;
}

bool JsonBuilder::add_text(JsonKind kind, Text text) {
  add_part(text);
  const std::uint32_t end = index_of_end(document_.characters_);
  add({.kind = kind, .begin = text_begin_, .size = end - text_begin_});
  text_begin_ = end;
  return true;
}

bool JsonBuilder::open(JsonKind kind) {
  open_.push_back(index_of_end(document_.nodes_));
  return add({.kind = kind});
}

bool JsonBuilder::close() {
  document_.nodes_[open_.back()].after = index_of_end(document_.nodes_);
  open_.pop_back();
  return true;
}

bool JsonBuilder::on_object_end(std::size_t size, ErrorCode& error) {
  const JsonView object{&document_, open_.back()};
  close();
  if (size < 2 || !note_duplicate_key(object, size)) return true;
  error = boost::json::error::syntax;
  return false;
}

// Sorting keeps an object of many keys from costing the square of their number.
bool JsonBuilder::note_duplicate_key(JsonView object, std::size_t size) {
  std::vector<std::string_view> keys;
  keys.reserve(size);
  object.for_each_member([&](std::string_view key, JsonView) { keys.push_back(key); });
  std::ranges::sort(keys);
  const auto twice = std::ranges::adjacent_find(keys);
  if (twice == keys.end()) return false;
  duplicate_key_ = std::string(*twice);
  return true;
}

bool JsonBuilder::on_bool(bool truth, ErrorCode&) {
  return add({.kind = JsonKind::boolean, .truth = truth});
}

bool JsonBuilder::on_null(ErrorCode&) {
  return add({.kind = JsonKind::null});
}

}  // namespace call_service::wire
