#include "wire/place.hpp"

namespace call_service::wire {

std::string Place::pointer() const {
  std::string out;
  append_to(out);
  return out;
}

void Place::append_to(std::string& out) const {
  if (parent_ == nullptr) return;
  parent_->append_to(out);
  out += '/';
  if (is_index_) out += std::to_string(index_);
  for (char c : name_) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
}

}  // namespace call_service::wire
