#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "fake_livekit/access.hpp"
#include "fake_livekit/messages.hpp"
#include "fake_livekit/random.hpp"
#include "fake_livekit/refusal.hpp"

namespace call_service::fake_livekit {

// Who comes, and how far.
struct Join {
  Claims claims{};
  bool media = true;  // false: the connection gets no media; activate() or abort() goes on
};

// A room as it is to be. What is missing is kept, or made as of a new room.
struct Placed {
  std::optional<std::string> sid{};
  std::optional<Timestamp> created_at{};
  std::vector<Participant> participants{};  // empty sids are made
};

struct Joined {
  std::string room_sid{};
  Participant participant{};
};

// The rooms and who is in them. What happens is told to `tell`, in its order and under this object's lock, as the
// webhooks that LiveKit would send. Safe on any thread; answers are copies.
class World {
 public:
  using Tell = std::function<void(Event)>;

  World(const Clock& clock, std::uint64_t seed, Tell tell);

  // Rooms that exist stay as they are.
  Room create_room(const std::string& name, const RoomSettings& settings);
  // Empty `names`: all.
  std::vector<Room> rooms(const std::vector<std::string>& names) const;
  std::vector<Participant> participants(const std::string& room) const;
  std::optional<Participant> participant(const std::string& room, const std::string& identity) const;
  // False: there is none.
  bool delete_room(const std::string& name);
  bool remove_participant(const std::string& room, const std::string& identity);

  // As a client with this token would be answered. check_join() is /rtc/validate: it does not count participants.
  std::optional<Refusal> check_join(const Claims& claims) const;
  Granted<Joined> join(const Join& join);
  // Media flows. nullopt: no such participant; so for all that follow.
  std::optional<Participant> activate(const std::string& room, const std::string& identity);
  // The connection ends: participant_left, or participant_connection_aborted if it never had media.
  std::optional<Participant> leave(const std::string& room, const std::string& identity, const std::string& reason);
  // The client is gone without a word; LiveKit notices after this time.
  std::optional<Participant> crash(const std::string& room, const std::string& identity, Milliseconds noticed_after);
  // The room closes, as after its timeouts. False: there is none.
  bool finish_room(const std::string& name);

  // States that no webhook tells of.
  Room place(const std::string& name, Placed placed);
  bool vanish(const std::string& name);
  void restart();  // every room is gone

  void set_auto_create(bool on);
  bool auto_create() const;

  // Closes rooms whose time is up, notices lost clients. To be called now and then.
  void tick();

 private:
  Room* find_room(const std::string& name);
  const Room* find_room(const std::string& name) const;
  Room& open_room(const std::string& name, const RoomSettings& settings);
  std::optional<Refusal> join_fault(const Claims& claims) const;
  std::optional<Participant> take_out(Room& room, const std::string& identity, const std::string& reason);
  void notice_lost(Room& room, Timestamp now);
  void close_room(const std::string& name, const std::string& reason);
  void tell(std::string_view type, const Room& room, const Participant* participant);

  const Clock& clock_;
  const Tell tell_;
  mutable std::mutex mutex_;
  Random random_;
  bool auto_create_ = true;
  std::map<std::string, Room> rooms_;
};

}  // namespace call_service::fake_livekit
