#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace call_service::wire {

// A JSON object put together member by member, for documents that have no struct of their own.
class ObjectText {
 public:
  // `value` is JSON text.
  ObjectText& json(std::string_view name, std::string_view value);
  ObjectText& text(std::string_view name, std::string_view value);
  ObjectText& number(std::string_view name, std::int64_t value);
  ObjectText& flag(std::string_view name, bool value);

  bool empty() const { return members_.empty(); }
  // The members without braces, to be taken over into another object.
  const std::string& members() const { return members_; }
  ObjectText& take_over(const ObjectText& other);

  std::string str() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

// A JSON array put together element by element.
class ArrayText {
 public:
  ArrayText& json(std::string_view value);
  ArrayText& text(std::string_view value);

  bool empty() const { return elements_.empty(); }
  std::string str() const { return "[" + elements_ + "]"; }

 private:
  std::string elements_;
};

}  // namespace call_service::wire
