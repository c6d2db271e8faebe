#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>

#include "base/task.hpp"

namespace call_service::http {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

// How long a connection waits for its client; then its socket is closed. Hardly any wait lasts so long. So the timer is
// not set anew for each of them: it sleeps on, and when it wakes it sleeps for what is left by then. All calls on the
// connection's thread.
class Deadline : public std::enable_shared_from_this<Deadline> {
 public:
  // The socket must outlive this.
  explicit Deadline(Socket& socket) : socket_(socket), timer_(socket.get_executor()) {}

  void expires_after(std::chrono::milliseconds time) { at_ = Clock::now() + time; }

  // While one exists, the deadline counts.
  class Wait {
   public:
    explicit Wait(Deadline& deadline) : deadline_(deadline) { deadline_.begin(); }
    ~Wait() { deadline_.waits_ = false; }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    Deadline& deadline_;
  };

 private:
  using Clock = std::chrono::steady_clock;
  using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>;

  void begin();
  void sleep();
  void wake();

  Socket& socket_;
  Timer timer_;
  Clock::time_point at_;
  bool waits_ = false;
  bool sleeps_ = false;
};

}  // namespace call_service::http
