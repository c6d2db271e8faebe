#pragma once

#include <string>

#include "base/time.hpp"
#include "http/message.hpp"

namespace call_service::middlewares {

// The request's own X-Request-Id if it is 1 to 64 of A-Za-z0-9._- and given once, else a new one.
std::string request_id_of(const http::Request& request, Timestamp now);

}  // namespace call_service::middlewares
