#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "database/repositories/call_repository.hpp"
#include "database/repositories/user_repository.hpp"
#include "error.hpp"
#include "services/caller.hpp"

namespace call_service::services {

// What somebody wants to see of the calls.
struct CallSearch {
  std::optional<std::string> status{};
  std::optional<std::string> caller_id{};
  std::optional<std::string> user_id{};  // involved: started it, has a session in it, or is listed
  std::optional<Timestamp> started_after{};
  std::optional<Timestamp> started_before{};
  std::optional<std::pair<Timestamp, Uuid>> behind{};  // the last call of the page before
  int limit = 0;
};

template <typename Item>
struct ListPage {
  std::vector<Item> items{};
  bool has_more = false;
};

struct UserDetails {
  models::User user{};
  std::vector<models::Session> active_sessions{};
};

// Lists, as far as their reader may see them. Safe on any serving thread. Throws db::Unavailable.
class ListService {
 public:
  ListService(repositories::CallRepository& calls, repositories::UserRepository& users)
      : calls_(calls), users_(users) {}

  // A user token sees the calls that its user is involved in.
  Task<ListPage<models::Call>> calls(const Caller& caller, CallSearch search);
  // call_not_found, forbidden. The filter's reader is set here.
  Task<Result<ListPage<models::Session>>> sessions(const Caller& caller, repositories::SessionFilter filter, int limit);
  // user_not_found, forbidden
  Task<Result<UserDetails>> user(const Caller& caller, std::string user_id);

 private:
  repositories::CallRepository& calls_;
  repositories::UserRepository& users_;
};

// Which list of the database shows it.
repositories::CallFilter filter_of(const std::optional<std::string>& reader, const CallSearch& search);

}  // namespace call_service::services
