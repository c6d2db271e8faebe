#pragma once

#include <string_view>

#include "http/message.hpp"

namespace call_service::http {

// The rules for a request's head that go beyond its grammar, where readers of HTTP disagree and requests are smuggled:
// exactly one Host (HTTP/1.0: at most one); at most one Content-Length, of digits; a Transfer-Encoding only in
// HTTP/1.1, without Content-Length, and only "chunked"; no folded lines; a target that split_target() takes. `raw` is
// the head as it came. False means 400.
bool check_head(Request& request, bool http_1_1, std::string_view raw);

// Splits a target into path and query, if it is in origin-form, in absolute-form (which is reduced to its path and
// query), or "*" with OPTIONS.
bool split_target(Request& request);

// Whether a LF is there that no CR precedes.
bool has_bare_line_feed(std::string_view text);

}  // namespace call_service::http
