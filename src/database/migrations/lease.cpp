#include "database/migrations/lease.hpp"

#include "database/errors.hpp"
#include "log.hpp"

namespace call_service::db {

namespace {

constexpr Seconds lifetime{10};  // as in take_lease
constexpr Seconds renewal{2};
constexpr Milliseconds look_again{200};

const Statement& take_lease() {
  static const Statement statement{
      .name = "take_lease",
      .input = {{"owner", Type::uuid}},
      .sql =
          "INSERT INTO {call_service_migration_lease} AS l (id, owner, until)"
          " SELECT 1, i.owner, clock_timestamp() + interval '10 seconds' FROM input i"
          " ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, until = excluded.until"
          " WHERE l.owner = excluded.owner OR l.until < clock_timestamp() RETURNING l.owner",
      .output = {Type::uuid}};
  return statement;
}

const Statement& return_lease() {
  static const Statement statement{.name = "return_lease",
                                   .input = {{"owner", Type::uuid}},
                                   .sql =
                                       "DELETE FROM {call_service_migration_lease} l USING input i"
                                       " WHERE l.owner = i.owner",
                                   .output = {}};
  return statement;
}

}  // namespace

MigrationLease::MigrationLease(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)), owner_(make_uuid_v7(SystemClock().now())) {
  connection_->open();
  wait_for_it();
  keeper_ = std::jthread([this](const std::stop_token& stop) { keep(stop); });
}

MigrationLease::~MigrationLease() {
  keeper_.request_stop();
  keeper_.join();
  give_back();
}

// By this process's clock it ends no later than by the database's, which reads its own after we have read ours.
bool MigrationLease::take() {
  const auto asked_at = std::chrono::steady_clock::now();
  const bool is_ours = !connection_->query(take_lease(), {{owner_}}).empty();
  held_until_ = is_ours ? asked_at + lifetime : asked_at;
  return is_ours;
}

// Nothing tells when a lease ends; there is nobody to tell when its holder has died.
void MigrationLease::wait_for_it() {
  for (bool is_first = true; !take(); is_first = false) {
    if (is_first) log::info("waiting_for_migration", {{"reason", "another process migrates this database"}});
    std::this_thread::sleep_for(look_again);
  }
}

// A lost connection is made anew: what counts is that the lease is renewed before it runs out.
void MigrationLease::keep(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, stop, renewal, [&] { return stop.stop_requested(); })) {
    try {
      connection_->open();
      take();
    } catch (const std::exception& error) {
      log::warning("migration_lease_not_renewed", {{"error", error.what()}});
    }
  }
}

void MigrationLease::give_back() {
  try {
    connection_->open();
    connection_->query(return_lease(), {{owner_}});
  } catch (const std::exception& error) {  // it runs out by itself
    log::debug("migration_lease_not_released", {{"error", error.what()}});
  }
}

}  // namespace call_service::db
