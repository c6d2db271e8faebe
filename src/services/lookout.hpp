#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/task.hpp"
#include "base/time.hpp"
#include "livekit/room_service_client.hpp"
#include "services/reconcile_rules.hpp"

namespace call_service::services {

// Asks LiveKit who is where. Three answers about a call: a look in which something is present, a look in which it is
// absent, or none, which is unknown. Runs on one io_context.
class Lookout {
 public:
  Lookout(livekit::RoomServiceClient& livekit, const Clock& clock) : livekit_(livekit), clock_(clock) {}

  struct Question {
    Uuid call_id{};
    bool expects_people = false;  // asks for them also where LiveKit lists no room
  };
  struct Answers {
    std::vector<std::optional<rules::Look>> looks{};  // in the questions' order; nullopt: unknown
    std::optional<std::string> outage{};              // LiveKit did not answer several times in a row: why
  };

  // Rooms before and after their participants, all by name. What does not fit together is unknown: a room that changed
  // meanwhile, or people without a room.
  Task<Answers> look(std::vector<Question> questions);

  // The sids of all rooms that LiveKit has, by name; nullopt: no answer.
  Task<std::optional<std::unordered_map<std::string, std::string>>> all_rooms();

 private:
  struct Round;

  Task<void> look_at(Round& round, std::size_t begin, std::size_t end);
  Task<std::optional<std::vector<livekit::RoomInfo>>> rooms(Round& round, std::size_t begin, std::size_t end);
  Task<void> ask_for_people(Round& round, std::size_t index);

  livekit::RoomServiceClient& livekit_;
  const Clock& clock_;
};

}  // namespace call_service::services
