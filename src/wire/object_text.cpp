#include "wire/object_text.hpp"

#include "wire/write.hpp"

namespace call_service::wire {

ObjectText& ObjectText::json(std::string_view name, std::string_view value) {
  if (!members_.empty()) members_ += ',';
  append_plain_string(members_, name);
  members_.append(":").append(value);
  return *this;
}

ObjectText& ObjectText::text(std::string_view name, std::string_view value) {
  std::string literal;
  append_plain_string(literal, value);
  return json(name, literal);
}

ObjectText& ObjectText::number(std::string_view name, std::int64_t value) {
  return json(name, std::to_string(value));
}

ObjectText& ObjectText::flag(std::string_view name, bool value) {
  return json(name, value ? "true" : "false");
}

ObjectText& ObjectText::take_over(const ObjectText& other) {
  if (!members_.empty() && !other.members_.empty()) members_ += ',';
  members_ += other.members_;
  return *this;
}

ArrayText& ArrayText::json(std::string_view value) {
  if (!elements_.empty()) elements_ += ',';
  elements_ += value;
  return *this;
}

ArrayText& ArrayText::text(std::string_view value) {
  std::string literal;
  append_plain_string(literal, value);
  return json(literal);
}

}  // namespace call_service::wire
