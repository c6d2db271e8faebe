#include "api/application.hpp"

#include "api/exchange.hpp"
#include "log.hpp"

namespace call_service::api {

std::unique_ptr<http::Exchange> Application::begin(http::Request& request) {
  return std::make_unique<Exchange>(parts_, request);
}

// Nothing of such a request can be trusted, so it has neither path nor id of its own.
http::Response Application::refuse_malformed(int status) {
  const auto code = status == 431 ? ErrorCode::headers_too_large : ErrorCode::malformed_request;
  const std::string request_id = make_uuid_v7(parts_.clock.now()).to_string();
  const Error error =
      fail(code, status == 431 ? "The header is larger than 16 KiB." : "This is not proper HTTP.").error();
  auto response = problem(error, "", request_id);
  response.headers.emplace_back("X-Request-Id", request_id);
  log::info("request", {{"request_id", request_id}, {"status", status}, {"cause", "malformed"}});
  return response;
}

}  // namespace call_service::api
