#pragma once

#include <optional>
#include <string>
#include <vector>

#include "database/models/call.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

// An active call as it is on record before LiveKit is asked about it.
struct OpenCall {
  Uuid call_id{};
  std::optional<std::string> room_sid{};
  std::optional<Timestamp> token_issued_at{};
  std::optional<Timestamp> closes_at{};
  std::optional<Timestamp> entered_at{};
  std::optional<Timestamp> seen_at{};
  std::optional<Timestamp> last_left{};    // the last of those who were in it; only where nobody is
  std::vector<std::string> connections{};  // participant sids of its active sessions
};

// Where a page of open calls begins: behind the call of this moment and id.
struct OpenCallPlace {
  Timestamp started_at{};
  Uuid call_id{};
};

// A call whose room LiveKit has.
struct RoomOwner {
  Uuid call_id{};
  bool is_active = false;
  bool deletion_pending = false;
};

// When a silence has lasted long enough to ask LiveKit.
struct SilenceLimits {
  Timestamp closing{};        // calls.closes_at at the latest
  Timestamp closing_ahead{};  // or beyond this: then it is of a clock that was wrong
  Timestamp token_ahead{};    // the same of the newest token
  Timestamp session{};        // a pending session's token_expires_at at the latest
  Timestamp never_joined{};   // the newest token of a call that nobody entered, handed out at the latest
};

// What is compared with LiveKit, and the timers that ask it first.
class OpenCallsRepository : public Repository<models::Call> {
 public:
  using Repository::Repository;

  // At most `limit` places, oldest first.
  Task<std::vector<OpenCallPlace>> page(OpenCallPlace after, int limit);
  // Those of them that are active.
  Task<std::vector<OpenCall>> find(std::vector<Uuid> call_ids);
  // Active calls in which one of the silences has lasted long enough, at most `limit` of each kind; each once.
  Task<std::vector<Uuid>> silent(SilenceLimits limits, int limit);
  // Those of them that we know.
  Task<std::vector<RoomOwner>> owners(std::vector<Uuid> call_ids);
  // Everybody who is active in it was seen in LiveKit.
  Task<void> mark_seen(Uuid call_id, Timestamp at);
};

}  // namespace call_service::repositories
