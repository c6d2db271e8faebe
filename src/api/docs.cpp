#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <ranges>

#include "api/handlers.hpp"
#include "api/openapi/document.hpp"
#include "base/gzip.hpp"
#include "base/ranges.hpp"
#include "http/conditional.hpp"
#include "web_files.hpp"

namespace call_service::api {

namespace {

// Nothing from other hosts, no inline script, in nobody's frame. Swagger UI writes style attributes into its pictures
// and has pictures in its style sheet.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src "
    "'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view type_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> types{{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".png", "image/png"},
      {".txt", "text/plain; charset=utf-8"},
  }};
  const auto fits = [&](const auto& entry) { return name.ends_with(entry.first); };
  const auto found = std::ranges::find_if(types, fits);
  return found == types.end() ? "application/octet-stream" : found->second;
}

const EmbeddedFile* find_file(std::string_view name) {
  const auto found = std::ranges::find(embedded_files, name, &EmbeddedFile::name);
  return found == std::ranges::end(embedded_files) ? nullptr : &*found;
}

// Unpacked once, for the few who do not take gzip.
const std::string& plain(const EmbeddedFile& file) {
  static std::mutex mutex;
  static std::map<std::string_view, std::string> unpacked;
  const std::lock_guard lock(mutex);
  std::string& text = unpacked[file.name];
  if (text.empty()) text = gunzip({file.begin, file.end});
  return text;
}

// "no-cache" is "ask whether it is still the same": a new release is seen at once.
std::vector<http::Header> validators(const std::string& tag) {
  return {{"ETag", tag}, {"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}};
}

Reply<Content> reply(const http::Request& request, const EmbeddedFile& file) {
  Reply<Content> reply{.body = {.type = std::string(type_of(file.name))},
                       .headers = validators("W/\"" + std::string(file.hash) + "\"")};
  reply.headers.emplace_back("Content-Security-Policy", content_security_policy);
  reply.headers.emplace_back("Referrer-Policy", "no-referrer");
  reply.headers.emplace_back("X-Frame-Options", "DENY");
  reply.headers.emplace_back("Vary", "Accept-Encoding");
  if (http::has_same_version(request, reply.headers.front().second)) {
    reply.status = 304;
    return reply;
  }
  if (http::accepts_gzip(request)) {
    reply.headers.emplace_back("Content-Encoding", "gzip");
    reply.body.bytes = std::string(file.begin, file.end);
  } else {
    reply.body.bytes = plain(file);
  }
  return reply;
}

}  // namespace

Answer<Content> get_openapi(Services&, http::Request* request) {
  static const std::string tag = http::entity_tag(openapi_document());
  Reply<Content> reply{.body = {.type = "application/json"}, .headers = validators(tag)};
  if (http::has_same_version(*request, tag)) {
    reply.status = 304;
  } else {
    reply.body.bytes = openapi_document();
  }
  co_return reply;
}

Answer<Content> get_docs(Services&, http::Request* request) {
  co_return reply(*request, *find_file("index.html"));
}

Answer<Content> get_docs_file(Services&, http::Request* request, FileName name) {
  const auto* file = find_file(name.value);
  if (file == nullptr) co_return fail(ErrorCode::route_not_found, "There is nothing at this path.");
  co_return reply(*request, *file);
}

}  // namespace call_service::api
