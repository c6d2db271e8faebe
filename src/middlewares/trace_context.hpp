#pragma once

#include <optional>
#include <string_view>

#include "http/message.hpp"

namespace call_service::middlewares {

// What a caller's tracing told of the request: W3C Trace Context, header `traceparent`. Views into the header.
struct TraceContext {
  std::string_view trace_id;   // 32 lower case hexadecimal digits
  std::string_view parent_id;  // 16: the caller's span
};

// Strict: lower case, no id of zeros, version 00 of exactly its length, later versions by what 00 has. Nothing if the
// header is missing, given twice or not valid: then the trace begins anew, which is nobody's fault.
std::optional<TraceContext> trace_context_of(const http::Request& request);

}  // namespace call_service::middlewares
