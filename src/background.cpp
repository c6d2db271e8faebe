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
    : livekit_(context_.get_executor(), needs.livekit_origin, std::move(needs.livekit_key), needs.clock),
      livekit_probe_(context_.get_executor(), livekit_, needs.livekit_health),
      outbox_worker_(context_.get_executor(), needs.outbox, livekit_, livekit_probe_, needs.clock),
      call_changes_(needs.calls, needs.call_turns, needs.clock, [this] { outbox_worker_.wake(); }),
      reconciler_lease_(context_.get_executor(), needs.leases, "reconciler", needs.lease_owner, needs.clock,
                        [&health = needs.livekit_health] { return health.can_be_asked(); }),
      reconciler_(context_.get_executor(),
                  {.calls = needs.open_calls,
                   .changes = call_changes_,
                   .livekit = livekit_,
                   .health = needs.livekit_health,
                   .lease = reconciler_lease_,
                   .clock = needs.clock,
                   .report_outage = [this](const std::string&) { livekit_probe_.doubt(); }},
                  needs.reconciler),
      open_counter_(context_.get_executor(), needs.statistics, needs.clock),
      duration_timer_(context_.get_executor(), needs.calls, needs.call_max_duration, needs.clock,
                      [this] { outbox_worker_.wake(); }),
      retention_(context_.get_executor(), needs.retention, needs.calls_kept_for, needs.clock),
      work_(context_.get_executor()) {
  if (needs.jwks_url) jwks_refresher_.emplace(context_.get_executor(), *needs.jwks_url, *needs.jwks);
  if (!needs.rooms) return;
  room_creator_.emplace(context_.get_executor(), needs.room_creations, livekit_, *needs.rooms, needs.clock,
                        [this] { outbox_worker_.wake(); });
  room_watch_.emplace(context_.get_executor(), std::move(needs.livekit_origin), needs.room_creations, livekit_,
                      *room_creator_);
}

Background::~Background() {
  stop();
}

void Background::start() {
  asio::co_spawn(context_, outbox_worker_.claim_loop(), log_end);
  asio::co_spawn(context_, outbox_worker_.lease_loop(), log_end);
  asio::co_spawn(context_, livekit_probe_.run(), log_end);
  asio::co_spawn(context_, reconciler_lease_.run(), log_end);
  asio::co_spawn(context_, reconciler_.run(), log_end);
  asio::co_spawn(context_, open_counter_.run(), log_end);
  if (jwks_refresher_) asio::co_spawn(context_, jwks_refresher_->run(), log_end);
  asio::co_spawn(context_, duration_timer_.run(), log_end);
  asio::co_spawn(context_, retention_.run(), log_end);
  if (room_creator_) {
    asio::co_spawn(context_, room_creator_->claim_loop(), log_end);
    asio::co_spawn(context_, room_watch_->run(), log_end);
  }
  thread_ = std::thread([this] { context_.run(); });
}

void Background::stop() {
  if (!thread_.joinable()) return;
  asio::post(context_, [this] {
    outbox_worker_.stop();
    livekit_probe_.stop();
    reconciler_.stop();
    reconciler_lease_.stop();
    open_counter_.stop();
    if (jwks_refresher_) jwks_refresher_->stop();
    duration_timer_.stop();
    retention_.stop();
    if (room_creator_) {
      room_watch_->stop();
      room_creator_->stop();
    }
    livekit_.close();
    work_.reset();
  });
  thread_.join();
}

}  // namespace call_service
