#include "livekit/contact.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace call_service::livekit {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr Milliseconds longest_connect{1000};

auto into(error_code& ec) {
  return asio::redirect_error(asio::use_awaitable_t<Executor>{}, ec);
}

}  // namespace

Contact::Contact(Executor executor, http::Origin origin)
    : origin_(std::move(origin)), resolver_(executor), socket_(executor), limit_(executor) {}

void Contact::close() {
  error_code ignored;
  resolver_.cancel();
  socket_.close(ignored);
  limit_.cancel();
}

void Contact::limit(Milliseconds length) {
  limit_.expires_after(length);
  limit_.async_wait([this](const error_code& ec) {
    if (!ec) close();
  });
}

Task<bool> Contact::connect() {
  close();
  limit(longest_connect);
  error_code ec;
  const auto found = co_await resolver_.async_resolve(origin_.host, origin_.port, into(ec));
  if (!ec) co_await asio::async_connect(socket_, found, into(ec));
  limit_.cancel();
  co_return !ec && socket_.is_open();
}

Task<void> Contact::hold(Milliseconds longest) {
  limit(longest);
  std::array<char, 64> unexpected{};
  error_code ec;
  co_await socket_.async_read_some(asio::buffer(unexpected), into(ec));
  close();
}

}  // namespace call_service::livekit
