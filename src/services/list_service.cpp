#include "services/list_service.hpp"

namespace call_service::services {

namespace {

// One more than the page holds is asked for, which tells whether there is another.
template <typename Item>
ListPage<Item> page_of(std::vector<Item> items, int limit) {
  ListPage<Item> page{.items = std::move(items)};
  page.has_more = page.items.size() > static_cast<std::size_t>(limit);
  if (page.has_more) page.items.resize(static_cast<std::size_t>(limit));
  return page;
}

}  // namespace

repositories::CallFilter filter_of(const std::optional<std::string>& reader, const CallSearch& search) {
  using Scope = repositories::CallFilter::Scope;
  repositories::CallFilter filter{.caller_id = search.caller_id, .status = search.status};
  const auto& involved = reader ? reader : search.user_id;
  if (reader && search.user_id != reader) filter.other = search.user_id;
  if (involved && search.caller_id != involved) {
    filter.scope = Scope::involving;
    filter.owner = involved;
  } else if (search.caller_id) {
    filter.scope = Scope::started_by;
    filter.owner = search.caller_id;
  }
  if (search.started_after) filter.after = *search.started_after;
  // Nothing has the smallest id, so this is "earlier than".
  if (search.started_before) filter.before = *search.started_before;
  if (search.behind && std::pair(filter.before, filter.before_id) > *search.behind) {
    std::tie(filter.before, filter.before_id) = *search.behind;
  }
  return filter;
}

Task<ListPage<models::Call>> ListService::calls(const Caller& caller, CallSearch search) {
  auto found = co_await calls_.list(filter_of(caller.acting_user(), search), search.limit + 1);
  co_return page_of(std::move(found), search.limit);
}

Task<Result<ListPage<models::Session>>> ListService::sessions(const Caller& caller, repositories::SessionFilter filter,
                                                              int limit) {
  filter.reader = caller.acting_user();
  auto found = co_await calls_.list_sessions(std::move(filter), limit + 1);
  if (!found) co_return fail(ErrorCode::call_not_found, "There is no call with this id.");
  if (!found->allowed) co_return fail(ErrorCode::forbidden, "This call is not open to this user.");
  co_return page_of(std::move(found->sessions), limit);
}

Task<Result<UserDetails>> ListService::user(const Caller& caller, std::string user_id) {
  auto found = co_await users_.find(user_id);
  if (!found) co_return fail(ErrorCode::user_not_found, "There is no user with this id.");
  if (!caller.acts_for(user_id)) co_return fail(ErrorCode::forbidden, "A user token may read only its own user.");
  co_return UserDetails{.user = std::move(*found), .active_sessions = co_await users_.active_sessions(user_id)};
}

}  // namespace call_service::services
