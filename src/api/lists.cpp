#include "api/handlers.hpp"
#include "api/present.hpp"

namespace call_service::api {

namespace {

using CallPage = schemas::Page<schemas::CallResponse>;
using SessionPage = schemas::Page<schemas::SessionResponse>;

std::pair<Timestamp, Uuid> place_of(const Position& position) {
  return {Timestamp(Milliseconds(position.number)), position.id};
}

services::CallSearch search_of(const Query<schemas::ListCallsQuery>& query) {
  return {.status = query.value.status,
          .caller_id = query.value.caller_id,
          .user_id = query.value.user_id,
          .started_after = query.value.started_after,
          .started_before = query.value.started_before,
          .behind = query.after.transform(place_of),
          .limit = query.limit()};
}

repositories::SessionFilter filter_of(Uuid call_id, const Query<schemas::ListSessionsQuery>& query) {
  repositories::SessionFilter filter{.call_id = call_id, .user_id = query.value.user_id, .status = query.value.status};
  if (query.after) std::tie(filter.after, filter.after_id) = place_of(*query.after);
  return filter;
}

}  // namespace

Answer<CallPage> list_calls(Services& services, services::Caller caller, Query<schemas::ListCallsQuery> query) {
  const auto found = co_await services.lists.calls(caller, search_of(query));
  CallPage page;
  for (const auto& call : found.items) page.data.push_back(call_response(call));
  if (found.has_more) page.next_cursor = query.next_cursor(position_of(found.items.back()));
  co_return Reply<CallPage>{.body = std::move(page)};
}

Answer<SessionPage> list_sessions(Services& services, services::Caller caller, CallId call,
                                  Query<schemas::ListSessionsQuery> query) {
  const auto found = co_await services.lists.sessions(caller, filter_of(call.value, query), query.limit());
  if (!found) co_return std::unexpected(found.error());
  SessionPage page;
  for (const auto& session : found->items) page.data.push_back(session_response(session));
  if (found->has_more) page.next_cursor = query.next_cursor(position_of(found->items.back()));
  co_return Reply<SessionPage>{.body = std::move(page)};
}

Answer<schemas::UserResponse> get_user(Services& services, services::Caller caller, UserId user) {
  const auto found = co_await services.lists.user(caller, user.value);
  if (!found) co_return std::unexpected(found.error());
  co_return Reply<schemas::UserResponse>{.body = user_response(*found)};
}

}  // namespace call_service::api
