#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "database/connection.hpp"
#include "database/migrations/migrations.hpp"

namespace call_service::db {

// How far to upgrade; as it is made: to the newest.
struct UpgradeTarget {
  std::string last = "~";        // the last revision to apply; "~" sorts behind all
  std::size_t steps = SIZE_MAX;  // so many migrations at most

  // "head", "+N" (N further ones) or a revision; nullopt if there is no such target.
  static std::optional<UpgradeTarget> parse(std::string_view text, std::span<const Migration> known);
};

// Brings a database's schema to a revision. Several may run at once: each migration is one transaction that begins by
// writing its own row, so the second waits for the first and then finds it done. Blocking; not for serving threads.
class Migrator {
 public:
  // `connection` is opened here; throws Unavailable.
  Migrator(Connection& connection, const Clock& clock);

  struct Applied {
    std::string revision;
    std::string name;
    Timestamp applied_at{};
  };

  // Applied revisions, oldest first; empty if there is no table of migrations.
  std::vector<Applied> applied();

  // Migrations that this program knows and the database does not have.
  std::vector<Migration> missing();

  // The number of applied revisions that this program does not know: the database is newer.
  std::size_t unknown();

  // Tables and views with our names in a database without our table of migrations: somebody else's, not to be touched.
  std::vector<std::string> foreign_tables();

  // Applies what is missing up to the target; returns what it applied. The database is left as it was if a migration
  // fails. Throws StatementFailed, Unavailable.
  std::vector<Migration> upgrade(UpgradeTarget target = {});

 private:
  bool has_table(const std::string& name);
  void make_table();
  bool apply(const Migration& migration);

  Connection& connection_;
  const Clock& clock_;
};

// The text for an operator whose database has tables of our names that are not ours.
std::optional<std::string> foreign_tables_fault(Migrator& migrator);

// Whether the service can run on the schema as it is; the text says what to do if not.
std::optional<std::string> schema_fault(Migrator& migrator);

}  // namespace call_service::db
