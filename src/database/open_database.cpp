#include <stdexcept>

#include "database/engine.hpp"
#include "database/postgres/connection.hpp"
#include "database/sqlite/connection.hpp"
#include "database/url.hpp"

namespace call_service::db {

Database open_database(const std::string& url, const std::string& schema) {
  if (const auto path = sqlite_path(url)) {
    const Dialect dialect(Dialect::Kind::sqlite, "");
    const auto connect = [path = *path, dialect](ConnectionRole role) -> std::unique_ptr<Connection> {
      using sqlite::SqliteConnection;
      const auto mode =
          role == ConnectionRole::read ? SqliteConnection::Mode::read_only : SqliteConnection::Mode::read_write;
      return std::make_unique<SqliteConnection>(path, mode, dialect);
    };
    return {dialect, connect, {.writers = 1, .readers = 1, .loners = 0}};
  }
  const auto split = url.starts_with("postgresql://") ? split_postgresql_url(url) : std::nullopt;
  if (!split) throw std::invalid_argument("not a database URL");
  const Dialect dialect(Dialect::Kind::postgresql, schema);
  const auto connect = [url = *split, dialect](ConnectionRole role) -> std::unique_ptr<Connection> {
    using postgres::PostgresConnection;
    const auto use = role == ConnectionRole::read ? PostgresConnection::Use::read : PostgresConnection::Use::write;
    return std::make_unique<PostgresConnection>(url, use, dialect);
  };
  return {dialect, connect, {.writers = 2, .readers = 1, .loners = 2}};
}

}  // namespace call_service::db
