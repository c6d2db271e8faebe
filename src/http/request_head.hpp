#pragma once

#include <string_view>

#include "http/message.hpp"

namespace call_service::http {

// The rules for a request's head that go beyond its grammar, where readers of HTTP disagree and requests are smuggled:
// exactly one Host (HTTP/1.0: at most one); at most one Content-Length, of digits; a Transfer-Encoding only in
// HTTP/1.1, without Content-Length, and only "chunked"; no folded lines; a target in origin-form or absolute-form
// (which is reduced to its path and query). `raw` is the head as it came. Splits the target into path and query; false
// means 400.
bool check_head(Request& request, bool http_1_1, std::string_view raw);

}  // namespace call_service::http
