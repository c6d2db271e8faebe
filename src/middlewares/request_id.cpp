#include "middlewares/request_id.hpp"

#include <algorithm>

#include "base/uuid.hpp"

namespace call_service::middlewares {

namespace {

bool is_allowed(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

std::string request_id_of(const http::Request& request, Timestamp now) {
  const std::string* own = request.header("X-Request-Id");
  const bool usable = own != nullptr && !own->empty() && own->size() <= 64 && std::ranges::all_of(*own, is_allowed) &&
                      request.header_count("X-Request-Id") == 1;
  return usable ? *own : make_uuid_v7(now).to_string();
}

}  // namespace call_service::middlewares
