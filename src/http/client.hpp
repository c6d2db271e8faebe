#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.hpp"
#include "http/message.hpp"

namespace call_service::http {

// Where to send requests: scheme http or https (ws and wss are taken as these), host, port, path prefix.
struct Origin {
  bool tls = false;
  std::string host;
  std::string port;
  std::string base_path;  // without trailing '/', may be empty

  // nullopt if it is no such URL. Credentials in the URL are refused.
  static std::optional<Origin> parse(std::string_view url);
};

// An http or https URL of one resource: whom to ask, and for what.
struct Location {
  Origin origin{};     // without base_path
  std::string target;  // path and query, at least "/"

  // nullopt if it is no such URL. Credentials and a fragment in the URL are refused.
  static std::optional<Location> parse(std::string_view url);
};

// The path in file:///path, decoded; nullopt if the URL has not that form.
std::optional<std::string> file_path_of(std::string_view url);

struct ClientRequest {
  Method method = Method::post;
  std::string path{};  // appended to the origin's base_path
  std::vector<Header> headers{};
  std::string body{};
  std::size_t most_answered = std::size_t{4} * 1024 * 1024;  // bytes of the response's body
  bool new_connection = false;  // not on a kept one, which may be dead without anybody knowing
  bool resend = true;           // see Client; false where the same request, later, means something else
};

struct ClientResponse {
  int status = 0;
  std::string date{};         // of the header `Date`, as sent; empty without
  std::string retry_after{};  // of `Retry-After`, likewise
  std::string body{};         // more than most_answered is a ClientError
};

// No answer: the connection could not be made, broke, timed out, or what came was not HTTP. For the log.
struct ClientError {
  // How far it came; what was under way when time ran out, too.
  enum class Step { resolve, connect, secure, exchange };

  std::string what{};
  bool timed_out = false;
  Step step = Step::exchange;
};

// HTTP/1.1 requests to one origin over a small pool of kept connections. All calls on one client must come from the
// io_context it was made with. TLS verifies the peer's certificate and name by the system's store.
// A request on a kept connection that the peer had meanwhile closed is sent once more on a new one, only if no byte of
// an answer had come, and only if the request allows it. Where a kept connection gave no answer, no other that was kept
// is used again.
class Client {
 public:
  // A connection that was not used for longer than `longest_idle` is not used again: that the way to the peer was lost
  // without a word shows only when a request on it times out.
  Client(Executor executor, Origin origin, std::chrono::milliseconds longest_idle = std::chrono::seconds(2));
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The whole exchange, connecting included, within `timeout`.
  Task<std::expected<ClientResponse, ClientError>> send(ClientRequest request, std::chrono::milliseconds timeout);

  // Closes the kept connections; requests under way end with an error.
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace call_service::http
