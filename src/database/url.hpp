#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace call_service::db {

// The file of `sqlite:///relative` or `sqlite:////absolute`; nullopt for any other URL.
std::optional<std::string> sqlite_path(std::string_view url);

// Why the file of a SQLite URL cannot hold a database, as a sentence that begins with DATABASE_URL; nullopt: it can, is
// still to be made, or the URL is another.
std::optional<std::string> sqlite_file_fault(std::string_view url);

// Whether libpq can read a `postgresql://…` URL and every port in it is one.
bool is_postgresql_url(const std::string& url);

// A `postgresql://…` URL, taken apart into what libpq knows and what only this service does.
struct PostgresUrl {
  std::string libpq;
  // Whether statements may be prepared, and settings made, for longer than a transaction: not where a pooler gives each
  // transaction whatever session is free.
  bool prepared = true;
};

// Takes the parameter `prepared=true` or `prepared=false` out; without it, true. nullopt: it has another value, or is
// given twice. Whether libpq can read the rest is not looked at.
std::optional<PostgresUrl> split_postgresql_url(std::string_view url);

}  // namespace call_service::db
