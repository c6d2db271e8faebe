#include "services/jwks_refresher.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace call_service::services {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::minutes refresh_pause{10};
constexpr Seconds retry_pause{15};
constexpr Seconds fetch_timeout{5};
constexpr std::size_t max_bytes = 1024 * 1024;

using Text = std::expected<std::string, std::string>;

// On the background thread, which may wait for a disk, but not for whoever writes into a pipe.
Text read_file(const std::string& path) {
  std::error_code ec;
  if (!std::filesystem::is_regular_file(path, ec)) return std::unexpected("the file does not exist or is no file");
  std::ifstream file(path, std::ios::binary);
  std::string text(max_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return std::unexpected("the file cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Text body_of(http::ClientResponse response) {
  if (response.status / 100 == 3) {
    return std::unexpected("status " + std::to_string(response.status) + "; redirects are not followed");
  }
  if (response.status != 200) return std::unexpected("status " + std::to_string(response.status));
  return std::move(response.body);
}

}  // namespace

JwksRefresher::JwksRefresher(Executor executor, const std::string& url, JwksService& service)
    : executor_(std::move(executor)), service_(service), timer_(executor_) {
  if (auto path = http::file_path_of(url)) {
    path_ = std::move(*path);
    return;
  }
  auto location = http::Location::parse(url);
  if (!location) throw std::invalid_argument("AUTH_JWKS_URL is no URL");
  target_ = std::move(location->target);
  client_.emplace(executor_, std::move(location->origin));
}

void JwksRefresher::wake() {
  asio::post(executor_, [this] { timer_.cancel(); });
}

void JwksRefresher::stop() {
  stopping_ = true;
  if (client_) client_->close();
  timer_.cancel();
}

Task<void> JwksRefresher::run() {
  while (!stopping_) {
    service_.begin();
    auto outcome = co_await read();
    const bool failed = !outcome;
    if (stopping_) break;
    service_.end(std::move(outcome));
    timer_.expires_after(failed ? std::chrono::steady_clock::duration(retry_pause) : refresh_pause);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
  }
}

Task<std::expected<jose::KeySet, std::string>> JwksRefresher::read() {
  try {
    const Text text = client_ ? co_await fetch() : read_file(path_);
    if (!text) co_return std::unexpected(text.error());
    if (text->size() > max_bytes) co_return std::unexpected("it is larger than 1 MiB");
    co_return jose::KeySet::parse(*text);
  } catch (const std::exception& error) {
    co_return std::unexpected(std::string(error.what()));
  }
}

Task<Text> JwksRefresher::fetch() {
  http::ClientRequest request{.method = http::Method::get,
                              .path = target_,
                              .headers = {{"Accept", "application/json"}, {"Connection", "close"}}};
  auto response = co_await client_->send(std::move(request), fetch_timeout);
  if (!response) co_return std::unexpected(std::move(response.error().what));
  co_return body_of(std::move(*response));
}

}  // namespace call_service::services
