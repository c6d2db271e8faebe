#include "http/response_text.hpp"

#include <fmt/format.h>

#include <array>

#include "base/text.hpp"
#include "http/text.hpp"

namespace call_service::http {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

}  // namespace

std::string_view DateCache::at(std::time_t now) {
  if (now != second_) {
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    gmtime_r(&now, &utc);
    text_ = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days.at(static_cast<std::size_t>(utc.tm_wday)),
                        utc.tm_mday, months.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour,
                        utc.tm_min, utc.tm_sec);
    second_ = now;
  }
  return text_;
}

void append_response(std::string& out, const Response& response, const Framing& framing, std::string_view date) {
  const bool bodiless = response.status == 204 || response.status == 304;
  out += "HTTP/1.1 ";
  append_number(out, response.status);
  out.append(" ").append(reason_of(response.status)).append("\r\nServer: call-service\r\nDate: ").append(date);
  out += "\r\n";
  if (!bodiless) {
    if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
    out += "Content-Length: ";
    append_number(out, static_cast<std::int64_t>(response.body.size()));
    out += "\r\n";
  }
  if (!framing.keep_alive) {
    out += "Connection: close\r\n";
  } else if (!framing.http_1_1) {
    out += "Connection: keep-alive\r\n";
  }
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  out += "\r\n";
  if (!bodiless && !framing.head) out += response.body;
}

}  // namespace call_service::http
