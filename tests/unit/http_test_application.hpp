#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "http/server.hpp"

namespace call_service::http_test {

// A small application: the path says what to do. Bodies are limited to 1000 bytes.
//   /slow    answers after release()     /stuck   never answers, unless cut off     /throw   throws
//   /refuse  is refused by admit()       /empty   answers 204                       others   answer "METHOD path body"
class TestApplication final : public http::Application {
 public:
  struct Finished {
    std::string path;
    int status;
    bool sent;
  };

  std::unique_ptr<http::Exchange> begin(http::Request& request) override;

  // Lets the /slow requests that wait, and all later ones, go on.
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    for (const auto& timer : waiting_) boost::asio::post(timer->get_executor(), [timer] { timer->cancel(); });
    waiting_.clear();
  }

  // Waits for release(), or forever.
  Task<> wait(bool releasable) {
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto timer =
        std::make_shared<boost::asio::steady_timer>(executor, boost::asio::steady_timer::time_point::max());
    if (releasable) {
      const std::lock_guard lock(mutex_);
      if (released_) co_return;
      waiting_.push_back(timer);
    }
    ++running;
    boost::system::error_code ec;
    co_await timer->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable_t<Executor>{}, ec));
    --running;
  }

  void record(Finished finished) {
    const std::lock_guard lock(mutex_);
    finished_.push_back(std::move(finished));
  }

  std::vector<Finished> finished() {
    const std::lock_guard lock(mutex_);
    return finished_;
  }

  std::atomic<int> running = 0;

 private:
  std::mutex mutex_;
  bool released_ = false;
  std::vector<std::shared_ptr<boost::asio::steady_timer>> waiting_;
  std::vector<Finished> finished_;
};

class TestExchange final : public http::Exchange {
 public:
  TestExchange(TestApplication& application, http::Request& request) : application_(application), request_(request) {}

  std::optional<http::Response> admit() override {
    if (request_.path == "/refuse") return http::Response{.status = 401, .body = "no"};
    return std::nullopt;
  }
  std::size_t body_limit() const override { return 1000; }
  http::Response refuse(http::Refusal why) override {
    using enum http::Refusal;
    const std::string* name = request_.header("Name");
    const int status = why == malformed ? 400 : why == head_too_large ? 431 : why == body_too_large ? 413 : 503;
    return {.status = status, .body = "refused " + request_.path + " " + (name != nullptr ? *name : "")};
  }
  Task<http::Response> handle() override {
    if (request_.path == "/throw") throw std::runtime_error("bug");
    if (request_.path == "/empty") co_return http::Response{.status = 204};
    if (request_.path == "/slow") co_await application_.wait(true);
    if (request_.path == "/stuck") co_await application_.wait(false);
    http::Response response;
    response.content_type = "text/plain";
    response.body = std::string(http::name_of(request_.method)) + " " + request_.path + " " + request_.body;
    co_return response;
  }
  http::Response fail_unexpected(const std::exception& cause) override { return {.status = 500, .body = cause.what()}; }
  void finished(const http::Response& response, bool sent) override {
    application_.record({request_.path, response.status, sent});
  }

 private:
  TestApplication& application_;
  http::Request& request_;
};

inline std::unique_ptr<http::Exchange> TestApplication::begin(http::Request& request) {
  return std::make_unique<TestExchange>(*this, request);
}

}  // namespace call_service::http_test
