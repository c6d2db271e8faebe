#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "api/application.hpp"
#include "api/context.hpp"
#include "api/route.hpp"

namespace call_service::api {

// One request on its way through the middlewares.
class Exchange final : public http::Exchange {
 public:
  Exchange(Application::Parts& parts, http::Request& request);

  std::optional<http::Response> admit() override;
  std::size_t body_limit() const override;
  http::Response body_too_large() override;
  Task<http::Response> handle() override;
  http::Response fail_unexpected(const std::exception& cause) override;
  void finished(const http::Response& response, bool sent) override;

 private:
  std::optional<http::Response> find_route();
  std::optional<http::Response> authorize();
  std::optional<http::Response> authorize_caller();
  std::optional<http::Response> authorize_livekit();
  http::Response refuse_livekit(livekit::WebhookRejection why);
  http::Response refuse(Error error);
  http::Response finish(http::Response response);

  Application::Parts& parts_;
  Context context_;
  const Route* route_ = nullptr;
  std::string webhook_hash_;  // what LiveKit signed for
  std::string cause_;         // why it failed, for the log only
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace call_service::api
