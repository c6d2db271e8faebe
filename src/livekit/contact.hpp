#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/task.hpp"
#include "base/time.hpp"
#include "http/client.hpp"

namespace call_service::livekit {

// An idle connection to where LiveKit listens, held only to learn at once that it went away: its end is told by the
// peer's machine, while a request would have to be made to see it. To be used from the io_context it was made with, by
// one coroutine at a time.
class Contact {
 public:
  Contact(Executor executor, http::Origin origin);

  // Whether somebody listens there; gives up after 1 s.
  Task<bool> connect();
  // Completes when the connection is lost, when close() is called, or after `longest`; then it is closed.
  Task<void> hold(Milliseconds longest);
  void close();

 private:
  using Tcp = boost::asio::ip::tcp;
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  // close() after this time, unless the timer is cancelled before.
  void limit(Milliseconds length);

  const http::Origin origin_;
  boost::asio::ip::basic_resolver<Tcp, Executor> resolver_;
  boost::asio::basic_stream_socket<Tcp, Executor> socket_;
  Timer limit_;
};

}  // namespace call_service::livekit
