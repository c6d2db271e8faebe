#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <ranges>
#include <utility>

// Two algorithms of C++23 that libstdc++ 12, Debian 12's, does not have yet.
namespace call_service {

template <typename Container, std::ranges::input_range Range>
void append(Container& container, Range&& range) {
  if constexpr (std::is_rvalue_reference_v<Range&&>) {
    container.insert(container.end(), std::make_move_iterator(std::ranges::begin(range)),
                     std::make_move_iterator(std::ranges::end(range)));
  } else {
    container.insert(container.end(), std::ranges::begin(range), std::ranges::end(range));
  }
}

template <std::ranges::input_range Range, typename Value, typename Projection = std::identity>
bool contains(const Range& range, const Value& value, Projection projection = {}) {
  return std::ranges::find(range, value, projection) != std::ranges::end(range);
}

}  // namespace call_service
