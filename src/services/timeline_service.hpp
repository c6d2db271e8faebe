#pragma once

#include "base/task.hpp"
#include "database/repositories/timeline_repository.hpp"
#include "error.hpp"
#include "services/caller.hpp"

namespace call_service::services {

struct TimelinePage {
  std::vector<repositories::TimelineItem> items{};
  bool has_more = false;
};

// Tells what happened to a call, to all who may read it. Safe on any serving thread. Throws db::Unavailable.
class TimelineService {
 public:
  explicit TimelineService(repositories::TimelineRepository& timeline) : timeline_(timeline) {}

  // Entries after `after_seq`. call_not_found, forbidden
  Task<Result<TimelinePage>> list(const Caller& caller, Uuid call_id, std::int64_t after_seq, int limit);

 private:
  repositories::TimelineRepository& timeline_;
};

}  // namespace call_service::services
