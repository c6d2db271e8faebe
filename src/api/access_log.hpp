#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "api/context.hpp"
#include "http/message.hpp"

namespace call_service::api {

// What became of a request.
struct Outcome {
  std::string_view route;  // its pattern, or "none"
  std::chrono::duration<double> took{};
  std::string_view cause{};  // why it failed, never shown to the client
  bool sent = false;
};

// Writes the one line that each request has in the log. The query is never in it, and of the path only what cannot be a
// credential (see loggable_path).
void log_access(const Context& context, const http::Response& response, const Outcome& outcome);

// People paste tokens and keys into addresses. Segments of 24 bytes or more, but UUIDs, become "[redacted]": keys and
// secrets have at least 32 characters, tokens many more. A user's id has a member of its own in the line.
std::string loggable_path(std::string_view path);

}  // namespace call_service::api
