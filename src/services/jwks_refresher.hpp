#pragma once

#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <string>

#include "base/task.hpp"
#include "http/client.hpp"
#include "services/jwks_service.hpp"

namespace call_service::services {

// Reads the JWK set at AUTH_JWKS_URL: at once, every ten minutes (every 15 s while that fails), and when woken. Runs on
// one io_context.
class JwksRefresher {
 public:
  // `url` is http://, https:// or file:///path, as the configuration lets it through.
  JwksRefresher(Executor executor, const std::string& url, JwksService& service);

  // Until stop(). Never throws.
  Task<void> run();
  void stop();

  // Safe on any thread.
  void wake();

 private:
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  using Text = std::expected<std::string, std::string>;  // or why there is none

  Task<std::expected<jose::KeySet, std::string>> read();
  Task<Text> fetch();

  Executor executor_;
  JwksService& service_;
  std::string path_;  // of a file, if it is one
  std::string target_;
  std::optional<http::Client> client_;
  Timer timer_;
  bool stopping_ = false;
};

}  // namespace call_service::services
