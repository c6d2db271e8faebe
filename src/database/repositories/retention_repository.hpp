#pragma once

#include <string>
#include <vector>

#include "database/models/call.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

// An ended call that may be erased, and how many rows go with it.
struct ErasableCall {
  Uuid call_id{};
  Timestamp ended_at{};
  std::int64_t rows = 0;
};

struct Erased {
  std::size_t calls = 0;
  std::size_t users = 0;
};

// Erases ended calls with all that belongs to them, and users who have no other.
class RetentionRepository : public Repository<models::Call> {
 public:
  using Repository::Repository;

  // Calls that ended before `before` and for which LiveKit has nothing to do any more, at most `limit`, in the order of
  // their ends, from behind (`after`, `after_id`) on.
  Task<std::vector<ErasableCall>> find(Timestamp before, Timestamp after, Uuid after_id, int limit);

  // Those of these calls that are still as find() tells, in one transaction. Several replicas may erase the same.
  Task<Erased> erase(std::vector<Uuid> call_ids, Timestamp before);

 private:
  Task<std::vector<std::string>> users_of(const std::vector<Uuid>& call_ids);
};

}  // namespace call_service::repositories
