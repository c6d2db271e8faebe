#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"

// Small pieces of HTTP's text, shared by the server's and the client's side.
namespace call_service::http {

// The method of this name; method names are case-sensitive.
Method method_named(std::string_view name);

bool equal_ignoring_case(std::string_view a, std::string_view b);

// Appends "name: value\r\n". CR, LF and NUL become spaces, so that no value can forge a header.
void append_header(std::string& out, std::string_view name, std::string_view value);

}  // namespace call_service::http
