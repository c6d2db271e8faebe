#include "api/handlers.hpp"
#include "api/present.hpp"

namespace call_service::api {

namespace {

using TimelinePage = schemas::Page<schemas::TimelineEntryResponse>;

TimelinePage page_of(const services::TimelinePage& found, const Query<schemas::TimelineQuery>& query) {
  TimelinePage page;
  for (const auto& item : found.items) page.data.push_back(timeline_entry_response(item));
  if (found.has_more) page.next_cursor = query.next_cursor({.number = found.items.back().entry.seq});
  return page;
}

}  // namespace

Answer<TimelinePage> list_timeline(Services& services, services::Caller caller, CallId call,
                                   Query<schemas::TimelineQuery> query) {
  const std::int64_t after = query.after ? query.after->number : 0;
  const auto found = co_await services.timeline.list(caller, call.value, after, query.limit());
  if (!found) co_return std::unexpected(found.error());
  co_return Reply<TimelinePage>{.body = page_of(*found, query)};
}

}  // namespace call_service::api
