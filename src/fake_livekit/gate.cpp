#include "fake_livekit/gate.hpp"

#include <utility>

namespace call_service::fake_livekit {

std::unique_ptr<http::Server> make_server(const std::string& host, std::uint16_t port, http::Application& application) {
  http::Server::Options options{.host = host, .port = port};
  options.limits.drain_timeout = std::chrono::milliseconds(0);
  return std::make_unique<http::Server>(options, application);
}

Gate::Gate(std::string host, std::uint16_t port, http::Application& application)
    : host_(std::move(host)),
      application_(application),
      server_(make_server(host_, port, application)),
      port_(server_->port()) {
  server_->start();
}

bool Gate::is_open() const {
  const std::lock_guard lock(mutex_);
  return server_ != nullptr;
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  if (server_) return;
  server_ = make_server(host_, port_, application_);
  server_->start();
}

void Gate::close() {
  const std::lock_guard lock(mutex_);
  server_.reset();
}

}  // namespace call_service::fake_livekit
