#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "database/models/call.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

// What is open now, in the whole database.
struct OpenCounts {
  std::int64_t active_calls = 0;
  std::int64_t pending_sessions = 0;
  std::int64_t active_sessions = 0;
  std::int64_t intents = 0;
  std::optional<Timestamp> oldest_intent{};  // when it was written
};

class StatisticsRepository : public Repository<models::Call> {
 public:
  using Repository::Repository;

  // Counts by indexes on the status: what it takes grows with what is open, not with what was ever written.
  Task<OpenCounts> count_open(Timestamp now);
};

}  // namespace call_service::repositories
