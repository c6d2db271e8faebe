#pragma once

#include <chrono>
#include <cstdint>
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
  ~Exchange() override;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  std::optional<http::Response> admit() override;
  bool must_wait() const override { return key_wait_ == KeyWait::due; }
  Task<std::optional<http::Response>> admit_after_wait() override;
  std::size_t body_limit() const override;
  http::Response refuse(http::Refusal why) override;
  Task<http::Response> handle() override;
  http::Response fail_unexpected(const std::exception& cause) override;
  void finished(const http::Response& response, bool sent) override;

 private:
  std::optional<http::Response> find_route();
  std::optional<http::Response> shed();
  std::optional<http::Response> authorize();
  std::optional<http::Response> admit_body();
  std::optional<http::Response> authorize_caller();
  std::optional<http::Response> authorize_service();
  std::optional<http::Response> authorize_livekit();
  http::Response refuse_livekit(livekit::WebhookRejection why);
  http::Response refuse(Error error);
  http::Response refuse_for_now(Error error);
  http::Response refuse_overloaded(std::string cause);
  http::Response finish(http::Response response);

  // For the key of a user token that is not known yet.
  enum class KeyWait : std::uint8_t { none, due, over };

  Application::Parts& parts_;
  Context context_;
  KeyWait key_wait_ = KeyWait::none;
  const Route* route_ = nullptr;
  std::optional<middlewares::BodyMemory::Taken> memory_;
  std::string webhook_hash_;  // what LiveKit signed for
  std::string cause_;         // why it failed, for the log only
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace call_service::api
