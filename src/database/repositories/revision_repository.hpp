#pragma once

#include <string>
#include <vector>

#include "database/migrations/bookkeeping.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

// What a serving program asks of the table about migrations, which only the migrator writes.
class RevisionRepository : public Repository<db::AppliedMigration> {
 public:
  using Repository::Repository;

  // Those of the revisions that are not recorded as applied, oldest first.
  Task<std::vector<std::string>> missing(const std::vector<std::string>& revisions);
};

}  // namespace call_service::repositories
