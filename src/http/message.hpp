#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the rest of the house knows of HTTP: plain values. Boost.Beast stays inside connection.cpp and client.cpp.
namespace call_service::http {

enum class Method { get, head, post, put, patch, delete_, options, other };

// "GET", "POST", …; "" for other.
std::string_view name_of(Method method);

using Header = std::pair<std::string, std::string>;

// A request as read from the wire.
struct Request {
  Method method = Method::other;
  std::string target;  // as sent: path and query
  std::string path;    // as sent: the target up to '?', still percent-encoded
  std::string query;   // as sent: after '?', without it
  std::vector<Header> headers;
  std::string body;  // empty until it was admitted and read

  // The first header of this name (any case), or nullptr.
  const std::string* header(std::string_view name) const;
  // How often the header occurs.
  std::size_t header_count(std::string_view name) const;
};

// A response. Content-Length, Date, Server and Connection are added by the connection.
struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<Header> headers{};
  std::string body{};
};

// The parameters of a query, name and value, in the order sent, encoded as forms are (WHATWG URL, 5.1): '+' is a space,
// empty pieces between '&' are skipped. nullopt if the percent-encoding is broken or the result is not UTF-8.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

// Decodes percent-encoding; false if it is broken or the result is not UTF-8. '+' stays '+'.
bool percent_decode(std::string_view encoded, std::string& decoded);

}  // namespace call_service::http
