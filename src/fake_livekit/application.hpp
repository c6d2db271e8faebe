#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/task.hpp"
#include "http/server.hpp"

namespace call_service::fake_livekit {

// Serves every request by one function, which may be called on any serving thread.
class Application final : public http::Application {
 public:
  using Answer = std::function<Task<http::Response>(const http::Request&)>;

  explicit Application(Answer answer) : answer_(std::move(answer)) {}

  std::unique_ptr<http::Exchange> begin(http::Request& request) override;

 private:
  Answer answer_;
};

// A problem document (RFC 9457) without a type of its own.
http::Response problem(int status, const std::string& detail);

}  // namespace call_service::fake_livekit
