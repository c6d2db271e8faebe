#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "http/server.hpp"

namespace call_service::fake_livekit {

// A server that can be closed, so that connections are refused, and opened again on the same port. Requests under way
// are cut off when it closes. Safe on any thread but its server's own.
class Gate {
 public:
  // Listens at once; throws http::ListenError.
  Gate(std::string host, std::uint16_t port, http::Application& application);

  std::uint16_t port() const { return port_; }
  bool is_open() const;
  void open();
  void close();

 private:
  const std::string host_;
  http::Application& application_;
  mutable std::mutex mutex_;
  std::unique_ptr<http::Server> server_;
  const std::uint16_t port_;
};

// A server that does not wait for its requests when it stops.
std::unique_ptr<http::Server> make_server(const std::string& host, std::uint16_t port, http::Application& application);

}  // namespace call_service::fake_livekit
