#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"

// What a client says about the form and the age of what it wants (RFC 9110, 12.5.3 and 13.1.2).
namespace call_service::http {

// A weak entity tag of a content, `W/"…"`: the same for all its encodings.
std::string entity_tag(std::string_view content);

// If-None-Match has this entity tag, or `*`: 304.
bool has_same_version(const Request& request, std::string_view tag);

// Accept-Encoding names gzip (or all), not with q=0.
bool accepts_gzip(const Request& request);

}  // namespace call_service::http
