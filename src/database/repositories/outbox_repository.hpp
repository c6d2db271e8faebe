#pragma once

#include <string>
#include <vector>

#include "database/models/intent.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

// What LiveKit has yet to do. One process at a time is at an intent: the one that holds its lease.
class OutboxRepository : public Repository<models::Intent> {
 public:
  using Repository::Repository;

  enum class Which { all, untried };  // untried: LiveKit has refused them never yet

  // Leases to `owner` up to `limit` of these intents that are due and that nobody holds.
  Task<std::vector<models::Intent>> claim(Uuid owner, Timestamp now, Timestamp lease_until, int limit, Which which);
  // Prolongs the leases of these, as far as `owner` still has them.
  Task<void> renew(Uuid owner, std::vector<Uuid> intent_ids, Timestamp lease_until);
  // Gives one lease back: the intent is due as it was.
  Task<void> give_back(const models::Intent& intent);
  // Gives all leases of `owner` back.
  Task<void> release(Uuid owner);
  // Done. Nothing happens if the intent was asked for anew meanwhile: then it is to be done again. A room's deletion is
  // recorded in its call and timeline.
  Task<void> complete(const models::Intent& intent, Timestamp now);
  // Refused by LiveKit: due again at `due_at`.
  Task<void> postpone(const models::Intent& intent, Timestamp due_at);
};

}  // namespace call_service::repositories
