#include "connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

namespace load {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// 0 where there is none: an answer without a body.
std::size_t content_length(std::string_view head) {
  constexpr std::string_view name = "\r\ncontent-length:";
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    if (head.size() - at < name.size() || strncasecmp(head.data() + at, name.data(), name.size()) != 0) continue;
    const char* from = head.data() + at + name.size();
    while (*from == ' ') ++from;
    std::size_t length = 0;
    std::from_chars(from, head.data() + head.size(), length);
    return length;
  }
  return 0;
}

}  // namespace

Connection::Connection(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (descriptor_ < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::fcntl(descriptor_, F_SETFL, O_NONBLOCK) != 0) fail("fcntl");
}

Connection::~Connection() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Connection::send(std::string text) {
  out_ = std::move(text);
  sent_ = 0;
  in_.clear();
  body_at_ = 0;
  write_rest();
}

std::optional<Answer> Connection::proceed() {
  if (wants_to_write()) write_rest();
  read_more();
  return parse();
}

void Connection::write_rest() {
  while (sent_ < out_.size()) {
    const ssize_t written = ::send(descriptor_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (written < 0 && errno == EAGAIN) return;
    if (written < 0) fail("send");
    sent_ += static_cast<std::size_t>(written);
  }
}

void Connection::read_more() {
  constexpr std::size_t piece = 16 * 1024;
  for (;;) {
    const std::size_t had = in_.size();
    in_.resize(had + piece);
    const ssize_t got = ::recv(descriptor_, in_.data() + had, piece, 0);
    in_.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0) throw std::runtime_error("the server closed a connection");
    if (got < 0 && errno != EAGAIN) fail("recv");
    if (got < static_cast<ssize_t>(piece)) return;
  }
}

std::optional<Answer> Connection::parse() {
  if (body_at_ == 0) {
    const std::size_t end = in_.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    const std::string_view head(in_.data(), end);
    constexpr std::string_view version = "HTTP/1.1 ";
    if (!head.starts_with(version)) throw std::runtime_error("an answer is no HTTP/1.1");
    std::from_chars(head.data() + version.size(), head.data() + head.size(), status_);
    body_at_ = end + 4;
    body_size_ = content_length(head);
  }
  if (in_.size() < body_at_ + body_size_) return std::nullopt;
  return Answer{status_, std::string_view(in_).substr(body_at_, body_size_)};
}

}  // namespace load
