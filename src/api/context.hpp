#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "http/message.hpp"
#include "log.hpp"
#include "services/caller.hpp"

namespace call_service::api {

// One request on its way through the middlewares to its handler.
struct Context {
  http::Request& request;
  std::string request_id;
  std::vector<std::pair<std::string_view, std::string>> path_parameters{};  // decoded
  std::vector<std::pair<std::string, std::string>> query_parameters{};      // decoded
  std::optional<services::Caller> caller{};                                 // set where the route asks for a credential
  log::Origin origin{};                                                     // views into this and the request
  std::optional<ErrorCode> code{};                                          // what the client was told, for the log
};

// A response with the one content type of errors.
http::Response problem(const Error& error, std::string_view instance, std::string_view request_id);

}  // namespace call_service::api
