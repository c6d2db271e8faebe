#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace load {

struct Request {
  std::string text;       // as it goes over the wire
  std::uint64_t tag = 0;  // given back with the answer
};

// Who is on the other side, and by which right we talk to it.
struct Target {
  std::uint16_t port = 0;
  std::string api_key;
};

std::string write_request(const Target& target, std::string_view method_and_path, std::string_view body = {});

// What is sent. Requests that an answer makes possible are handed out after it.
class Workload {
 public:
  virtual ~Workload() = default;

  // Nothing: either an answer has to come first, or all is sent.
  virtual std::optional<Request> next() = 0;

  // False if the answer is not what it must be.
  virtual bool answered(std::uint64_t tag, int status, std::string_view body) = 0;
};

}  // namespace load
