#include "fake_livekit/application.hpp"

#include "log.hpp"
#include "wire/object_text.hpp"

namespace call_service::fake_livekit {
namespace {

constexpr std::size_t max_body_bytes = 4 * 1024 * 1024;

std::string_view title_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

class FunctionExchange final : public http::Exchange {
 public:
  FunctionExchange(const Application::Answer& answer, http::Request& request) : answer_(answer), request_(request) {}

  std::optional<http::Response> admit() override { return std::nullopt; }
  std::size_t body_limit() const override { return max_body_bytes; }
  http::Response refuse(http::Refusal why) override {
    switch (why) {
      case http::Refusal::head_too_large:
        return problem(431, "the head of the request is too large");
      case http::Refusal::body_too_large:
        return problem(413, "at most 4 MiB");
      case http::Refusal::stopping:
        return problem(503, "the server stops");
      default:
        return problem(400, "this is no HTTP request");
    }
  }
  Task<http::Response> handle() override { co_return co_await answer_(request_); }
  http::Response fail_unexpected(const std::exception& cause) override {
    log::error("request", {{"path", request_.path}, {"cause", cause.what()}});
    return problem(500, "a bug: see the log");
  }
  void finished(const http::Response& response, bool sent) override {
    log::debug("request", {{"method", http::name_of(request_.method)},
                           {"path", request_.path},
                           {"status", response.status},
                           {"sent", sent}});
  }

 private:
  const Application::Answer& answer_;
  http::Request& request_;
};

}  // namespace

std::unique_ptr<http::Exchange> Application::begin(http::Request& request) {
  return std::make_unique<FunctionExchange>(answer_, request);
}

http::Response problem(int status, const std::string& detail) {
  return {.status = status,
          .content_type = "application/problem+json",
          .body = wire::ObjectText()
                      .text("type", "about:blank")
                      .text("title", title_of(status))
                      .number("status", status)
                      .text("detail", detail)
                      .str()};
}

}  // namespace call_service::fake_livekit
