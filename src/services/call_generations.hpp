#pragma once

#include <optional>

#include "base/time.hpp"
#include "database/models/call.hpp"
#include "database/models/session.hpp"

// The generations of a call's room: LiveKit makes a room anew under the same name, each time with another sid.
// creationTimeMs tells which of two is newer; rooms of one millisecond are told apart by their sids, so that every
// order of arrival agrees.
namespace call_service::rules {

struct RoomFact;

enum class Generation { older, current, newer };

// Which generation the fact is about. A newer one becomes the call's, and nothing is waited for any more; an older one
// is noted among the former.
Generation place(models::Call& call, const RoomFact& fact);

// When the generation after that of the session's connection was made, as far as it is known by now; nullopt: the
// session has no connection, or one to the newest generation.
std::optional<Timestamp> succeeded_at(const models::Call& call, const models::Session& session);

}  // namespace call_service::rules
