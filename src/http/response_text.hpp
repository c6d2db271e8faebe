#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace call_service::http {

// The Date header's value, formatted once a second. One per thread.
class DateCache {
 public:
  std::string_view at(std::time_t now);

 private:
  std::time_t second_ = -1;
  std::string text_;
};

// What the connection knows about how a response is sent.
struct Framing {
  bool keep_alive = true;
  bool http_1_1 = true;
  bool head = false;  // the response to HEAD: the body's length, but not the body
};

// Appends the response as it goes over the wire. 204 and 304 are sent without body, Content-Type and Content-Length.
void append_response(std::string& out, const Response& response, const Framing& framing, std::string_view date);

}  // namespace call_service::http
