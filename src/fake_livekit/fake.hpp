#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "livekit/access_token.hpp"

namespace call_service::fake_livekit {

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 7880;          // 0: any free one
  std::uint16_t control_port = 7879;  // likewise
  livekit::ApiKey key{};
  std::optional<std::string> webhook_url{};
  bool auto_create = true;
  std::uint64_t seed = 0;
  Milliseconds webhook_retry_wait{1'000};
};

// The whole fake: a LiveKit server without media, which does what it is told.
class Fake {
 public:
  // Listens at once: throws http::ListenError; std::invalid_argument for a webhook_url that is none.
  explicit Fake(const Options& options);
  ~Fake();
  Fake(const Fake&) = delete;
  Fake& operator=(const Fake&) = delete;

  std::uint16_t port() const;
  std::uint16_t control_port() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

// Serves until SIGTERM or SIGINT.
void run(const Options& options);

}  // namespace call_service::fake_livekit
