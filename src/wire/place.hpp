#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace call_service::wire {

// Where a value is in a document: a chain of names and indexes on the stack, which costs nothing until a fault asks for
// its JSON pointer (RFC 6901).
class Place {
 public:
  Place() = default;
  Place(const Place* parent, std::string_view name) : parent_(parent), name_(name) {}
  Place(const Place* parent, std::size_t index) : parent_(parent), index_(index), is_index_(true) {}

  std::string pointer() const;

 private:
  void append_to(std::string& out) const;

  const Place* parent_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
  bool is_index_ = false;
};

}  // namespace call_service::wire
