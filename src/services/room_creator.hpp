#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/task.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/repositories/room_creation_repository.hpp"
#include "livekit/room_service_client.hpp"

namespace call_service::services {

// Creates the rooms of calls (LIVEKIT_ROOM_CREATION=on_start). Each creation is on record before LiveKit is asked, so a
// process that dies leaves it to another, and a call that ended meanwhile has its room deleted in the end, whichever of
// creation and deletion LiveKit saw first. Runs on one io_context; what is said to be so is safe on any thread.
class RoomCreator {
 public:
  struct Settings {
    Seconds empty_timeout;  // of a room whose call nobody has entered yet
    Seconds departure_timeout;
  };

  RoomCreator(Executor executor, repositories::RoomCreationRepository& creations, livekit::RoomServiceClient& livekit,
              Settings settings, const Clock& clock, std::function<void()> wake_outbox);

  // What a command that hands out a token writes with it: the creation, leased to this process. Any thread.
  models::RoomCreation ask_for(Uuid call_id) const;
  // After that command's commit: creates the room; whether LiveKit has it after 2 s at most. Goes on by itself if not.
  // Any thread.
  Task<bool> wait_for(models::RoomCreation creation, std::optional<int> max_participants);
  // The call's room is finished while somebody is on the way: it is created again. Any thread.
  void restore(Uuid call_id);

  // The rooms of these calls are missing.
  Task<void> create_missing(std::vector<repositories::CallRoom> rooms);

  // Until stop(): carries out what others have left behind and what LiveKit refused, while it is reachable.
  Task<void> claim_loop();
  void stop();

  // LiveKit answers, or not: without it nothing is tried. `on_unreachable` is called when a request finds out.
  void livekit_is(bool reachable);
  void on_unreachable(std::function<void()> told) { told_unreachable_ = std::move(told); }

 private:
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  struct Wait;

  Task<void> begin(models::RoomCreation creation, std::optional<int> max_participants, std::shared_ptr<Wait> wait);
  Task<void> restore_now(Uuid call_id);
  Task<void> claim();
  Task<void> carry_out_claimed(models::RoomCreation creation);
  Task<void> carry_out(models::RoomCreation creation, std::optional<int> max_participants);
  Task<void> settle(const models::RoomCreation& creation);
  Task<void> postpone(const models::RoomCreation& creation, std::string why);
  models::RoomCreation creation_for(Uuid call_id, Seconds empty_timeout) const;
  Seconds empty_timeout_of(const repositories::CallRoom& room) const;
  void spawn(Task<void> work);
  void tell_waiting(const Uuid& call_id);
  void forget(const Uuid& call_id, const std::shared_ptr<Wait>& wait);
  void wake();

  Executor executor_;
  repositories::RoomCreationRepository& creations_;
  livekit::RoomServiceClient& livekit_;
  const Settings settings_;
  const Clock& clock_;
  const Uuid owner_;
  std::function<void()> wake_outbox_;
  std::function<void()> told_unreachable_;
  Timer claim_timer_;
  std::unordered_map<Uuid, std::vector<std::shared_ptr<Wait>>> waiting_;
  std::unordered_set<Uuid> claimed_;  // being carried out, by creation_id
  bool reachable_ = false;
  bool woken_ = false;
  bool stopping_ = false;
};

}  // namespace call_service::services
