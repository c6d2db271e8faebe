#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

// Sockets on 127.0.0.1 for the tests of the HTTP server and client. Every wait has a deadline.
namespace call_service::http_test {

constexpr std::chrono::seconds patience{10};

// Waits for a condition that another thread brings about.
template <typename Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// One end of a connection, as raw bytes.
class RawSocket {
 public:
  explicit RawSocket(int descriptor) : descriptor_(descriptor) {}
  RawSocket(RawSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), input_(std::move(other.input_)) {}
  RawSocket& operator=(RawSocket&&) = delete;
  ~RawSocket() { close(); }

  static RawSocket connect(std::uint16_t port) {
    RawSocket socket(::socket(AF_INET, SOCK_STREAM, 0));
    const sockaddr_in address = loopback(port);
    if (::connect(socket.descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) socket.close();
    return socket;
  }

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

  // False if the peer has reset the connection.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Everything up to the end of the stream; nullopt after a reset or when it does not end in time.
  std::optional<std::string> read_to_end() {
    for (;;) {
      const ssize_t received = receive();
      if (received == 0) return std::exchange(input_, {});
      if (received < 0) return std::nullopt;
    }
  }

  // The text up to and with `mark`; what there was if it does not come.
  std::string read_past(std::string_view mark) {
    std::size_t found = input_.find(mark);
    while (found == std::string::npos && receive() > 0) found = input_.find(mark);
    return take(found == std::string::npos ? input_.size() : found + mark.size());
  }

  // One message with Content-Length (or, without, only a head).
  std::string read_message() {
    std::string message = read_past("\r\n\r\n");
    const std::size_t at = message.find("Content-Length: ");
    if (at == std::string::npos) return message;
    const std::size_t length = std::stoul(message.substr(at + 16));
    while (input_.size() < length && receive() > 0) continue;
    return message + take(std::min(length, input_.size()));
  }

  void finish_sending() const { ::shutdown(descriptor_, SHUT_WR); }

  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  std::string take(std::size_t count) {
    std::string taken = input_.substr(0, count);
    input_.erase(0, count);
    return taken;
  }

  ssize_t receive() {
    pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) <= 0) return -1;
    char bytes[4096];
    const ssize_t received = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (received > 0) input_.append(bytes, static_cast<std::size_t>(received));
    return received;
  }

  int descriptor_;
  std::string input_;
};

// A listening socket on a free port.
class RawListener {
 public:
  RawListener() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = loopback(0);
    ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(descriptor_, 16);
    socklen_t size = sizeof address;
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;
  ~RawListener() { ::close(descriptor_); }

  std::uint16_t port() const { return port_; }

  // The next connection; a closed socket if none comes in time.
  RawSocket accept() const {
    pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) <= 0) return RawSocket(-1);
    return RawSocket(::accept(descriptor_, nullptr, nullptr));
  }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

}  // namespace call_service::http_test
