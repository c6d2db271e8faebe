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
  return count == 1 && request.header("Host")->find_first_of(" \t,/@") == std::string::npos;
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

bool split_target(Request& request) {
  const std::string origin = origin_form(request.target);
  if (origin.empty() || origin.find('#') != std::string::npos) return false;
  const std::size_t mark = origin.find('?');
  request.path = origin.substr(0, mark);
  request.query = mark == std::string::npos ? "" : origin.substr(mark + 1);
  return true;
}

}  // namespace

bool check_head(Request& request, bool http_1_1, std::string_view raw) {
  return !has_folded_line(raw) && has_valid_host(request, http_1_1) && has_valid_framing(request, http_1_1) &&
         split_target(request);
}

}  // namespace call_service::http
