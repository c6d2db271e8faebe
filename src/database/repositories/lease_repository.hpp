#pragma once

#include "database/models/lease.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

class LeaseRepository : public Repository<models::Lease> {
 public:
  using Repository::Repository;

  // Takes or renews it: true if `owner` has it now. Somebody else's is taken over once it has run out.
  Task<bool> take(models::Lease lease);
  // Gives it back, as far as its owner still has it.
  Task<void> release(models::Lease lease);
};

}  // namespace call_service::repositories
