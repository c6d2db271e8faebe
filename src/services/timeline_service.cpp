#include "services/timeline_service.hpp"

namespace call_service::services {

Task<Result<TimelinePage>> TimelineService::list(const Caller& caller, Uuid call_id, std::int64_t after_seq,
                                                 int limit) {
  auto found = co_await timeline_.find(call_id, caller.acting_user(), after_seq, limit + 1);
  if (!found) co_return fail(ErrorCode::call_not_found, "There is no call with this id.");
  if (!found->allowed) co_return fail(ErrorCode::forbidden, "This call is not open to this user.");
  TimelinePage page{.items = std::move(found->items)};
  page.has_more = page.items.size() > static_cast<std::size_t>(limit);
  if (page.has_more) page.items.resize(static_cast<std::size_t>(limit));
  co_return page;
}

}  // namespace call_service::services
