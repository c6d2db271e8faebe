#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "database/connection.hpp"
#include "database/engine.hpp"
#include "database/migrations/bookkeeping.hpp"
#include "database/migrations/lease.hpp"
#include "database/migrations/migrations.hpp"

namespace call_service::db {

// Brings a database's schema to a revision. Blocking; not for serving threads. What reads needs no lock; what changes
// is done under the migration lock: on PostgreSQL a MigrationLease, for a SQLite file its FileLock. Throws
// StatementFailed and Unavailable; a migration that fails leaves the database as it was, unless it is not
// transactional. One that waits for a table on PostgreSQL does so for a second at a time, up to 10 minutes.
class Migrator {
 public:
  // `connection` is opened here; throws Unavailable.
  Migrator(Connection& connection, const Clock& clock);
  Migrator(Connection& connection, const Clock& clock, std::vector<Migration> known);

  // Applied revisions, oldest first; empty if there is no table of migrations.
  std::vector<AppliedMigration> applied() { return bookkeeping_.applied(); }

  // Migrations that this program knows, and those of them that the database does not have.
  const std::vector<Migration>& known() const { return known_; }
  std::vector<Migration> missing();

  // Applied revisions that this program does not know.
  std::vector<AppliedMigration> unknown();

  // Tables and views with names that missing migrations would create: somebody else's, not to be touched.
  std::vector<std::string> foreign_tables();

  // The encoding of a PostgreSQL database that cannot hold every text of ours; none: it can.
  std::optional<std::string> foreign_encoding();

  // Waits for PostgreSQL's lease and takes it, until the migrator is destroyed; makes the tables about migrations.
  // Nothing for SQLite.
  void lock(const Database& database);

  // What was applied or taken back, in the order in which it was done; the error, for people, says why a target cannot
  // be.
  using Done = std::expected<std::vector<Migration>, std::string>;

  // What the two below would do as things stand; they change nothing.
  Done plan_upgrade(std::string_view target);
  Done plan_downgrade(std::string_view target);

  // Applies what is missing up to "head", "+N" (so many further ones) or a revision.
  Done upgrade(std::string_view target = "head");

  // Takes back to "-N" (so many back), a revision or "base".
  Done downgrade(std::string_view target);

  // Records the revisions up to "head", a revision or "base", and only those, without running anything.
  std::expected<void, std::string> stamp(std::string_view target);

 private:
  bool knows(std::string_view revision) const;
  std::string known_revisions() const;
  bool has(std::string_view revision);
  // One migration in one direction with its record; what fails names it.
  void run(const Migration& migration, const MigrationScript& script, const std::string& record);
  void run_in_transaction(const std::string& sql);
  void run_one_by_one(const MigrationScript& script, const std::string& record);
  void check_lock() const;

  Connection& connection_;
  const Clock& clock_;
  std::vector<Migration> known_;
  Bookkeeping bookkeeping_;
  std::unique_ptr<MigrationLease> lease_;
};

// The text for an operator whose database cannot be ours: it has tables of our names, or an encoding for few languages.
std::optional<std::string> unsuitable_database(Migrator& migrator);

// Whether the service can run on the schema as it is; the text says what to do if not.
std::optional<std::string> schema_fault(Migrator& migrator);

}  // namespace call_service::db
