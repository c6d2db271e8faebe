#include "database/schema/catalog.hpp"

#include <algorithm>

#include "database/engine.hpp"
#include "database/schema/postgres_catalog.hpp"
#include "database/schema/sqlite_catalog.hpp"
#include "database/schema/statements.hpp"
#include "log.hpp"

namespace call_service::db {

namespace {

// Leaves nothing behind, whatever happened.
struct RolledBack {
  Connection& connection;
  explicit RolledBack(Connection& begun) : connection(begun) { connection.execute_script("BEGIN"); }
  ~RolledBack() {
    try {
      connection.execute_script("ROLLBACK");
    } catch (const std::exception& error) {  // lost, and with it the transaction
      log::debug("declaration_not_rolled_back", {{"error", error.what()}});
    }
  }
  RolledBack(const RolledBack&) = delete;
  RolledBack& operator=(const RolledBack&) = delete;
};

bool references_only(const TableSchema& table, const std::vector<TableSchema>& done) {
  return std::ranges::all_of(table.foreign_keys, [&](const ForeignKeySchema& key) {
    return key.table == table.name || find_named(done, key.table) != nullptr;
  });
}

// Ours, each after those it references; what goes in a circle comes last.
Schema arranged(Schema schema, const Names& names) {
  std::erase_if(schema.tables, [&](const TableSchema& table) { return !names.contains(table.name); });
  std::erase_if(schema.functions, [&](const FunctionSchema& function) { return !names.contains(function.name); });
  std::vector<TableSchema> sorted;
  while (!schema.tables.empty()) {
    auto next =
        std::ranges::find_if(schema.tables, [&](const TableSchema& table) { return references_only(table, sorted); });
    if (next == schema.tables.end()) next = schema.tables.begin();
    sorted.push_back(std::move(*next));
    schema.tables.erase(next);
  }
  return {std::move(sorted), std::move(schema.functions)};
}

Catalogs read_postgres(Connection& connection, const Schema& declared, const Names& names) {
  const Dialect temporary(Dialect::Kind::postgresql, "pg_temp");
  const RolledBack transaction(connection);
  Schema live = arranged(read_postgres_schema(connection, connection.dialect()), names);
  connection.execute_script(temporary.expand(create_statements(declared, temporary.kind())));
  return {std::move(live), arranged(read_postgres_schema(connection, temporary), names)};
}

Catalogs read_sqlite(Connection& connection, const Schema& declared, const Names& names) {
  const auto database = open_database("sqlite:///:memory:", "");
  const auto memory = database.connect(ConnectionRole::write);
  memory->open();
  memory->execute_script(database.dialect.expand(create_statements(declared, database.dialect.kind())));
  return {arranged(read_sqlite_schema(connection), names), arranged(read_sqlite_schema(*memory), names)};
}

}  // namespace

Catalogs read_catalogs(Connection& connection, const Schema& declared, const Names& names) {
  const bool postgresql = connection.dialect().kind() == Dialect::Kind::postgresql;
  return postgresql ? read_postgres(connection, declared, names) : read_sqlite(connection, declared, names);
}

}  // namespace call_service::db
