#pragma once

#include <optional>
#include <vector>

#include "database/models/room_creation.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

// What must be known of a call to create its room.
struct CallRoom {
  Uuid call_id{};
  Timestamp started_at{};
  bool is_active = false;
  std::optional<int> max_participants{};
  bool was_entered = false;  // somebody was in it
};

// Rooms that LiveKit has yet to create. Creating one twice is harmless, so a lease is not renewed.
class RoomCreationRepository : public Repository<models::RoomCreation> {
 public:
  using Repository::Repository;

  // For the commands that hand out tokens: written with the lease of who asks, if the user of the input's user_id has a
  // token. Input: the columns of a creation, user_id.
  static db::Statement ask();
  static db::Row row_to_ask(const models::RoomCreation& creation, const std::string& user_id);

  // The same for rooms that are found missing: those of calls that are still active and that nobody else is at. Returns
  // the calls whose rooms are now the caller's to create.
  Task<std::vector<Uuid>> ask_for_missing(std::vector<models::RoomCreation> creations);

  // Leases to `owner` up to `limit` that are due and that nobody holds.
  Task<std::vector<models::RoomCreation>> claim(Uuid owner, Timestamp now, Timestamp lease_until, int limit);
  // LiveKit has the room, or need not have it: the call has ended. Then its deletion is asked for, in the same
  // transaction, because LiveKit may have created it after all; returns true.
  Task<bool> settle(const models::RoomCreation& creation, Uuid deletion_id, Timestamp now);
  // Gives the lease back: due as it was.
  Task<void> give_back(const models::RoomCreation& creation);
  // Refused by LiveKit: due again at `due_at`.
  Task<void> postpone(const models::RoomCreation& creation, Timestamp due_at);

  // nullopt: no such call.
  Task<std::optional<CallRoom>> find(Uuid call_id);
  // Active calls in which somebody is or has a token, at most `limit`, oldest first, from behind a moment and id on.
  Task<std::vector<CallRoom>> in_use(Timestamp after, Uuid after_id, int limit);
};

}  // namespace call_service::repositories
