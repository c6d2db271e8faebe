#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "base/uuid.hpp"
#include "database/connection.hpp"

namespace call_service::db {

// The right to migrate a PostgreSQL database: the one row of `call_service_migration_lease`, which says whose it is and
// until when by the database's clock, the only one that all who want it share. It lasts 10 s and is renewed every 2 s,
// on a connection and by a thread of its own, so it is kept through a statement of any length, and no transaction stays
// open for it. If its holder dies, the next takes it when it has run out.
class MigrationLease {
 public:
  // Waits until it is ours, as long as others renew it. The tables must be there (Bookkeeping::prepare). Throws
  // Unavailable, StatementFailed.
  explicit MigrationLease(std::unique_ptr<Connection> connection);

  // Gives it back.
  ~MigrationLease();
  MigrationLease(const MigrationLease&) = delete;
  MigrationLease& operator=(const MigrationLease&) = delete;

  // False once it was not renewed in time, or another has taken it. Safe on any thread.
  bool is_held() const { return std::chrono::steady_clock::now() < held_until_.load(); }

 private:
  bool take();
  void wait_for_it();
  void keep(const std::stop_token& stop);
  void give_back();

  std::unique_ptr<Connection> connection_;
  Uuid owner_;
  std::atomic<std::chrono::steady_clock::time_point> held_until_{};
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread keeper_;  // last: it uses the others
};

}  // namespace call_service::db
