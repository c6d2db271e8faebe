#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/task.hpp"
#include "http/message.hpp"

namespace call_service::http {

struct Limits {
  std::size_t header_bytes = 16 * 1024;
  std::chrono::milliseconds header_timeout{10'000};  // from the first byte of a request to the end of its header
  std::chrono::milliseconds body_timeout{30'000};    // to the end of its body
  std::chrono::milliseconds idle_timeout{75'000};    // between requests
  std::chrono::milliseconds write_timeout{30'000};   // a client that does not read
  std::chrono::milliseconds drain_timeout{10'000};   // what runs at stop() may finish
  // What a client may go on sending after an answer that closes the connection: it is read and dropped, so that the
  // client sees the answer and not a reset.
  std::size_t linger_bytes = 16 * 1024 * 1024;
  std::chrono::milliseconds linger_timeout{5'000};
};

// What the server needs from the application. One object serves all threads: implementations keep nothing mutable of a
// request outside the exchange.
class Exchange;
class Application {
 public:
  virtual ~Application() = default;

  // A request of its own begins: called with the header complete, before any byte of the body is read; or with what
  // could be read of a header that is broken or too large, and then only to refuse() it.
  virtual std::unique_ptr<Exchange> begin(Request& request) = 0;
};

// Why the connection itself ends a request.
enum class Refusal {
  malformed,       // head or body are not proper HTTP
  head_too_large,  // Limits::header_bytes
  body_too_large,  // Exchange::body_limit(), told by Content-Length or found while reading
  stopping,        // the server stops, and the request did not finish in Limits::drain_timeout
};

// One request and its response.
class Exchange {
 public:
  virtual ~Exchange() = default;

  // With the header known: a response to send at once (then the connection is closed if a body was announced), or
  // nothing to go on and read a body of at most body_limit().
  virtual std::optional<Response> admit() = 0;
  // Whether admit() could not decide without waiting. Then admit_after_wait() decides in its place.
  virtual bool must_wait() const { return false; }
  virtual Task<std::optional<Response>> admit_after_wait() { co_return std::nullopt; }
  virtual std::size_t body_limit() const = 0;

  // The response to send before the connection is closed. While handle() is under way only with Refusal::stopping.
  virtual Response refuse(Refusal why) = 0;

  // The body is complete, in the request given to begin(). Exceptions become fail_unexpected().
  virtual Task<Response> handle() = 0;
  virtual Response fail_unexpected(const std::exception& cause) = 0;

  // The response is on its way out (or the client is gone: sent = false): the place for the access log.
  virtual void finished(const Response& response, bool sent) = 0;
};

// Host and port cannot be listened on; the text names both, the cause and the remedy.
class ListenError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An HTTP/1.1 server: `threads` serving threads, each with an io_context and a listening socket of its own
// (SO_REUSEPORT).
class Server {
 public:
  struct Options {
    std::string host{};
    std::uint16_t port = 0;  // 0: any free one
    std::string remedy{};    // for whoever chose the two
    std::size_t threads = 1;
    Limits limits{};
  };

  // Binds at once; throws ListenError if that fails. Serves nothing before start().
  Server(Options options, Application& application);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;

  void start();

  // Stops accepting, closes idle connections, lets requests finish whose first bytes have come (Limits::drain_timeout
  // at most; then Refusal::stopping), joins the threads. Returns the number of requests that had to be cut off.
  std::size_t stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace call_service::http
