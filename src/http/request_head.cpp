#include "http/request_head.hpp"

#include <algorithm>

#include "http/text.hpp"

namespace call_service::http {
namespace {

bool has_folded_line(std::string_view raw) {
  for (std::size_t at = raw.find('\n'); at != std::string_view::npos; at = raw.find('\n', at + 1)) {
    if (at + 1 < raw.size() && (raw[at + 1] == ' ' || raw[at + 1] == '\t')) return true;
  }
  return false;
}

bool has_valid_host(const Request& request, bool http_1_1) {
  const std::size_t count = request.header_count("Host");
  if (count == 0) return !http_1_1;
  static constexpr std::string_view marks = "-._~%!$&'()*+;=:[]";
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.contains(c);
  };
  return count == 1 && std::ranges::all_of(*request.header("Host"), is_allowed);
}

bool has_valid_framing(const Request& request, bool http_1_1) {
  const std::size_t lengths = request.header_count("Content-Length");
  const std::size_t codings = request.header_count("Transfer-Encoding");
  if (lengths + codings > 1) return false;
  if (codings == 1) return http_1_1 && equal_ignoring_case(*request.header("Transfer-Encoding"), "chunked");
  if (lengths == 0) return true;
  const std::string& length = *request.header("Content-Length");
  return !length.empty() && std::ranges::all_of(length, [](char c) { return c >= '0' && c <= '9'; });
}

// The origin-form of a target; empty if it has none.
std::string origin_form(std::string_view target) {
  if (target.starts_with('/')) return std::string(target);
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const std::string_view rest = target.substr(scheme.size());
    const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
    if (path == 0) return {};
    const std::string_view from_path = rest.substr(path);
    return from_path.starts_with('/') ? std::string(from_path) : "/" + std::string(from_path);
  }
  return {};
}

}  // namespace

bool has_bare_line_feed(std::string_view text) {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return true;
  }
  return false;
}

bool split_target(Request& request) {
  const bool of_server = request.target == "*" && request.method == Method::options;
  const std::string origin = of_server ? request.target : origin_form(request.target);
  if (origin.empty() || origin.find('#') != std::string::npos) return false;
  const std::size_t mark = origin.find('?');
  request.path = origin.substr(0, mark);
  request.query = mark == std::string::npos ? "" : origin.substr(mark + 1);
  return true;
}

bool check_head(Request& request, bool http_1_1, std::string_view raw) {
  return !has_folded_line(raw) && has_valid_host(request, http_1_1) && has_valid_framing(request, http_1_1) &&
         split_target(request);
}

}  // namespace call_service::http
