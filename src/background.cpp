#include "background.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "log.hpp"

namespace call_service {

namespace {

namespace asio = boost::asio;

void log_end(const std::exception_ptr& error) {
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& reason) {
    log::error("background_work_failed", {{"error", reason.what()}});
  }
}

}  // namespace

Background::Background(Needs needs)
    : livekit_(context_.get_executor(), std::move(needs.livekit_origin), std::move(needs.livekit_key), needs.clock),
      outbox_worker_(context_.get_executor(), needs.outbox, livekit_, needs.livekit_health, needs.clock),
      closing_timer_(context_.get_executor(), needs.calls, livekit_, needs.livekit_health, needs.clock),
      work_(context_.get_executor()) {}

Background::~Background() {
  stop();
}

void Background::start() {
  asio::co_spawn(context_, outbox_worker_.claim_loop(), log_end);
  asio::co_spawn(context_, outbox_worker_.lease_loop(), log_end);
  asio::co_spawn(context_, outbox_worker_.probe_loop(), log_end);
  asio::co_spawn(context_, closing_timer_.run(), log_end);
  thread_ = std::thread([this] { context_.run(); });
}

void Background::stop() {
  if (!thread_.joinable()) return;
  asio::post(context_, [this] {
    outbox_worker_.stop();
    closing_timer_.stop();
    livekit_.close();
    work_.reset();
  });
  thread_.join();
}

}  // namespace call_service
