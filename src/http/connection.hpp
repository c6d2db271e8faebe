#pragma once

#include <array>
#include <memory>
#include <string>

#include "base/task.hpp"
#include "http/deadline.hpp"
#include "http/response_text.hpp"
#include "http/server.hpp"

namespace call_service::http {

// What the connections of one serving thread share; used on that thread only.
struct Serving {
  Application& application;
  const Limits& limits;
  bool draining = false;  // answer what has begun, with "Connection: close", and begin nothing
  DateCache date;
  // Where a piece of input comes in, and where a response is put together: a connection that waits keeps neither.
  std::array<char, 16 * 1024> input{};
  std::string output{};
};

// One client's connection: reads requests, has them answered, one after the other. All calls on its thread.
class Connection {
 public:
  virtual ~Connection() = default;

  // Ends when the connection does. The object must outlive it.
  virtual Task<> serve() = 0;

  // After Serving::draining was set: closes the connection if no request has begun on it.
  virtual void drain() = 0;

  // Closes the connection whatever runs on it. Returns whether that was a request without an answer.
  virtual bool cut() = 0;
};

std::unique_ptr<Connection> make_connection(Socket socket, Serving& serving);

}  // namespace call_service::http
