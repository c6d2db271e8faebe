#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace load {

struct Answer {
  int status = 0;
  std::string_view body;
};

// One keep-alive connection to 127.0.0.1 with at most one request in flight. Throws when the other side closes it or
// says what is no HTTP.
class Connection {
 public:
  explicit Connection(std::uint16_t port);
  Connection(Connection&&) = delete;
  ~Connection();

  int descriptor() const { return descriptor_; }

  void send(std::string text);

  // To be called when the socket is ready. The answer, once it is complete, is valid until the next send().
  std::optional<Answer> proceed();

  bool wants_to_write() const { return sent_ < out_.size(); }

 private:
  void write_rest();
  void read_more();
  std::optional<Answer> parse();

  int descriptor_ = -1;
  std::string out_;
  std::size_t sent_ = 0;
  std::string in_;
  std::size_t body_at_ = 0;  // 0: the head is not complete
  std::size_t body_size_ = 0;
  int status_ = 0;
};

}  // namespace load
