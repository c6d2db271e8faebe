#include "database/repositories/lease_repository.hpp"

#include "database/repositories/claim.hpp"

namespace call_service::repositories {

namespace {

using models::Lease;

db::CommandKind one_statement(db::Statement statement) {
  return {.name = statement.name, .sharing = db::CommandKind::Sharing::commit, .statements = {std::move(statement)}};
}

std::vector<db::Column> columns_to_take() {
  auto columns = db::input_columns<Lease>();
  columns.push_back({"latest", db::Type::timestamp});
  return columns;
}

// `WHERE true`: SQLite would read ON CONFLICT as a join's.
const db::CommandKind& take_kind() {
  static const db::CommandKind kind = one_statement({.name = "take_lease",
                                                     .input = columns_to_take(),
                                                     .sql = "INSERT INTO {leases} AS l (" + db::column_list<Lease>() +
                                                            ") SELECT " + db::column_list<Lease>("i") +
                                                            R"( FROM input i WHERE true
          ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, renewed_at = excluded.renewed_at, until = excluded.until
          WHERE l.owner = excluded.owner OR l.until <= excluded.renewed_at OR l.until > (SELECT i.latest FROM input i)
          RETURNING name)",
                                                     .output = {db::Type::text}});
  return kind;
}

const db::CommandKind& release_kind() {
  static const db::CommandKind kind =
      one_statement({.name = "release_lease",
                     .input = db::input_columns<Lease>(),
                     .sql = "DELETE FROM {leases} WHERE EXISTS (SELECT 1 FROM input i WHERE "
                            "i.name = {leases}.name AND i.owner = {leases}.owner)"});
  return kind;
}

}  // namespace

Task<bool> LeaseRepository::take(Lease lease) {
  db::Row row = db::to_row(lease);
  row.emplace_back(lease.renewed_at + longest_lease + clock_tolerance);
  std::vector<db::Rows> inputs{{std::move(row)}};
  const auto result = co_await run(take_kind(), lease.owner, std::move(inputs));
  co_return !result.rows[0].empty();
}

Task<void> LeaseRepository::release(Lease lease) {
  std::vector<db::Rows> inputs{{db::to_row(lease)}};
  co_await run(release_kind(), lease.owner, std::move(inputs));
}

}  // namespace call_service::repositories
