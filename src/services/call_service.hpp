#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "base/time.hpp"
#include "database/repositories/call_repository.hpp"
#include "error.hpp"
#include "services/caller.hpp"
#include "services/livekit_service.hpp"
#include "services/room_creator.hpp"

namespace call_service::services {

struct StartRequest {
  std::string caller_id{};
  std::optional<std::string> name{};
  std::optional<Uuid> call_id{};
  std::optional<std::vector<std::string>> user_ids{};
  std::optional<wire::JsonObject> metadata{};
  std::optional<int> max_participants{};
};

// A call that a user may now connect to.
struct Admission {
  bool created = false;
  models::Call call{};
  models::Session session{};
  Ticket ticket{};
  std::optional<bool> room_ready{};  // where we create rooms: whether LiveKit has this one by now
};

struct CallDetails {
  models::Call call{};
  std::vector<models::Session> sessions{};  // the first 200, oldest first
  bool has_more_sessions = false;
};

// The rules of the API's side: writes intent, and waits for LiveKit only where rooms are created by us, and then only
// to say whether the room is there. Safe on any serving thread. Throws
// db::Unavailable.
class CallService {
 public:
  // `wake_outbox` is called after a commit that LiveKit has to hear of; safe on any thread. `rooms`: null where
  // participants create their rooms.
  CallService(repositories::CallRepository& calls, const LivekitService& livekit, const Clock& clock,
              std::function<void()> wake_outbox, RoomCreator* rooms = nullptr);

  // forbidden, call_id_taken, call_ended, call_full
  Task<Result<Admission>> start(const Caller& caller, StartRequest request);
  // call_not_found, forbidden, call_ended, call_full
  Task<Result<Admission>> join(const Caller& caller, Uuid call_id, std::string user_id,
                               std::optional<std::string> name);
  // call_not_found, forbidden, session_not_found
  Task<Result<models::Session>> leave(const Caller& caller, Uuid call_id, std::string user_id,
                                      std::optional<Uuid> session_id);
  // call_not_found, forbidden. `on_behalf_of`: a service key's word for who ends it.
  Task<Result<models::Call>> end(const Caller& caller, Uuid call_id, std::optional<std::string> on_behalf_of);
  // call_not_found, forbidden
  Task<Result<CallDetails>> find(const Caller& caller, Uuid call_id);

 private:
  Task<repositories::StartOutcome> start_once(const repositories::NewCall& started, const repositories::Join& join,
                                              bool may_exist);
  Task<std::optional<Error>> not_yours(Uuid call_id, std::string what);
  Result<Admission> admit(const Caller& caller, repositories::JoinOutcome outcome,
                          const repositories::Join& join) const;
  Task<void> wait_for_room(Admission& admission, const repositories::Join& join) const;
  repositories::Join new_join(const Caller& caller, Uuid call_id, std::string user_id,
                              std::optional<std::string> name) const;

  repositories::CallRepository& calls_;
  const LivekitService& livekit_;
  const Clock& clock_;
  std::function<void()> wake_outbox_;
  RoomCreator* rooms_;
};

}  // namespace call_service::services
