#pragma once

#include "http/message.hpp"

namespace call_service::middlewares {

// Adds what every answer needs that does not say otherwise: no cache keeps it (an answer is for who asked, and caches
// know nothing of X-API-Key), and no browser guesses another type for it.
void add_safe_defaults(http::Response& response);

}  // namespace call_service::middlewares
