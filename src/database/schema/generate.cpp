#include "database/schema/generate.hpp"

#include <fmt/format.h>

namespace call_service::db {

std::string migration_statements(const Schema& before, const Schema& after, Dialect::Kind kind) {
  const auto needed = change(before, after);
  return kind == Dialect::Kind::postgresql ? postgres_statements(needed) : sqlite_statements(needed);
}

std::string rename_note(const TableChange& change) {
  if (change.columns.dropped.empty() || change.columns.added.empty()) return "";
  return fmt::format(
      "-- EDIT: {0} is dropped and {1} is new. If that is one column renamed, write instead, to keep what is in it:\n"
      "--   ALTER TABLE {{{2}}} RENAME COLUMN {0} TO {1};\n",
      change.columns.dropped.front().name, change.columns.added.front().name, change.after->name);
}

}  // namespace call_service::db
