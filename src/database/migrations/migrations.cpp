#include "database/migrations/migrations.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "migration_files.hpp"

namespace call_service::db {

namespace {

// The text between the line `-- heading` and the next such heading.
MigrationScript section(const std::string& file, std::string_view text, const std::string& heading) {
  const std::string mark = "\n-- " + heading + "\n";
  const auto begin = text.find(mark);
  if (begin == std::string_view::npos) throw std::runtime_error(file + " lacks its section \"-- " + heading + "\"");
  // The line feed stays, so that a mark in the first line is found.
  text.remove_prefix(begin + mark.size() - 1);
  const auto end = std::min(text.find("\n-- upgrade "), text.find("\n-- downgrade "));
  text = text.substr(0, end);
  const bool is_transactional = text.find("\n-- not transactional\n") == std::string_view::npos;
  return {.sql = std::string(text), .is_transactional = is_transactional};
}

std::string compatible_from(const std::string& text) {
  static const std::regex line("(?:^|\n)-- compatible from ([0-9]{4})\n");
  std::smatch found;
  return std::regex_search(text, found, line) ? found[1].str() : "";
}

Migration read(const std::string& file, const std::string& text, Dialect::Kind kind) {
  const std::string database = kind == Dialect::Kind::postgresql ? "postgresql" : "sqlite";
  const auto underscore = file.find('_');
  return {.revision = file.substr(0, underscore),
          .name = file.substr(underscore + 1),
          .compatible_from = compatible_from(text),
          .upgrade = section(file, text, "upgrade " + database),
          .downgrade = section(file, text, "downgrade " + database)};
}

using ByRevision = std::map<std::string, Migration>;

ByRevision embedded(Dialect::Kind kind) {
  ByRevision all;
  for (const auto& [file, text] : migration_files) {
    auto migration = read(std::string(file), std::string(text), kind);
    all.insert_or_assign(migration.revision, std::move(migration));
  }
  return all;
}

std::vector<Migration> in_order(ByRevision all) {
  std::vector<Migration> sorted;
  for (auto& [revision, migration] : all) {
    if (migration.compatible_from.empty()) {
      migration.compatible_from = sorted.empty() ? revision : sorted.back().revision;
    }
    sorted.push_back(std::move(migration));
  }
  return sorted;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return text.str();
}

std::vector<std::string> created(const Migration& migration, const std::string& what) {
  const std::regex statement("CREATE (?:OR REPLACE )?" + what + " \\{([^}]+)\\}");
  const auto& sql = migration.upgrade.sql;
  std::vector<std::string> names;
  for (std::sregex_iterator found(sql.begin(), sql.end(), statement), end; found != end; ++found) {
    names.push_back((*found)[1].str());
  }
  return names;
}

}  // namespace

std::vector<Migration> migrations(Dialect::Kind kind) {
  return in_order(embedded(kind));
}

std::vector<Migration> migrations(Dialect::Kind kind, const std::string& directory) {
  static const std::regex file_name("[0-9]{4}_[a-z0-9_]+\\.sql");
  if (!std::filesystem::is_directory(directory)) throw std::runtime_error(directory + " is no directory");
  auto all = embedded(kind);
  ByRevision added;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (!std::regex_match(entry.path().filename().string(), file_name)) continue;
    auto migration = read(entry.path().stem().string(), content_of(entry.path()), kind);
    const auto [other, is_new] = added.try_emplace(migration.revision, migration);
    if (!is_new) {
      throw std::runtime_error("two migrations in " + directory + " have revision " + migration.revision + ": " +
                               other->second.name + " and " + migration.name);
    }
    all.insert_or_assign(migration.revision, std::move(migration));
  }
  return in_order(std::move(all));
}

std::vector<std::string> created_tables(const Migration& migration) {
  return created(migration, "TABLE");
}

std::vector<std::string> created_functions(const Migration& migration) {
  return created(migration, "FUNCTION");
}

}  // namespace call_service::db
