#include "database/migrations/migrations.hpp"

#include <stdexcept>
#include <string>

#include "migration_files.hpp"

namespace call_service::db {

namespace {

// The text between the line `-- heading` and the next such heading.
std::string_view section(std::string_view text, const std::string& heading) {
  const std::string mark = "\n-- " + heading + "\n";
  const auto begin = text.find(mark);
  if (begin == std::string_view::npos) throw std::logic_error("a migration lacks its section \"" + heading + "\"");
  text.remove_prefix(begin + mark.size());
  const auto end = std::min(text.find("\n-- upgrade "), text.find("\n-- downgrade "));
  return text.substr(0, end);
}

}  // namespace

std::vector<Migration> migrations(Dialect::Kind kind) {
  const std::string database = kind == Dialect::Kind::postgresql ? "postgresql" : "sqlite";
  std::vector<Migration> all;
  for (const auto& [file, text] : migration_files) {
    const auto underscore = file.find('_');
    all.push_back({.revision = file.substr(0, underscore),
                   .name = file.substr(underscore + 1),
                   .upgrade = section(text, "upgrade " + database),
                   .downgrade = section(text, "downgrade " + database)});
  }
  return all;
}

}  // namespace call_service::db
