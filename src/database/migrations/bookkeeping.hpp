#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "database/connection.hpp"
#include "database/migrations/migrations.hpp"

namespace call_service::db {

// A migration that a database has.
struct AppliedMigration {
  std::string revision;
  std::string name;
  Timestamp applied_at{};
  std::optional<std::string> compatible_from;  // none: recorded by a release that did not say
};

// The tables about migrations: `call_service_migrations`, a row for each that was applied, and on PostgreSQL
// `call_service_migration_lease` (lease.hpp). Throws StatementFailed, Unavailable.
class Bookkeeping {
 public:
  explicit Bookkeeping(Connection& connection) : connection_(connection) {}

  // Makes schema and tables where they are missing. Several may do it at once.
  void prepare();

  // Oldest first; empty if there is no such table.
  std::vector<AppliedMigration> applied();

  // Whether there is a table, view or the like with this name.
  bool has_table(std::string_view name);

  // Statements that record a migration or take its record away, for its own transaction.
  static std::string record(const Migration& migration, Timestamp now);
  static std::string erase(std::string_view revision);

 private:
  bool has_schema();
  bool is_complete();
  bool has_column(std::string_view name);

  Connection& connection_;
};

}  // namespace call_service::db
