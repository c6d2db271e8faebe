#include "database/url.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ranges>
#include <utility>

namespace call_service::db {

namespace {

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* begin = std::to_address(text.begin());
  const char* end = std::to_address(text.end());
  return std::from_chars(begin, end, port).ptr == end && port > 0;
}

// libpq writes one for each host; without one it takes its default.
bool are_ports(std::string_view list) {
  return std::ranges::all_of(std::views::split(list, ','), [](const auto& part) {
    return std::ranges::empty(part) || is_port(std::string_view(part));
  });
}

// Of a file that is there: https://sqlite.org/fileformat.html, 1.3. An empty one is an empty database.
bool is_sqlite_file(const std::filesystem::path& path) {
  constexpr std::string_view magic("SQLite format 3\0", 16);
  std::array<char, magic.size()> begin{};
  std::ifstream file(path, std::ios::binary);
  file.read(begin.data(), begin.size());
  const std::string_view read(begin.data(), static_cast<std::size_t>(file.gcount()));
  return read.empty() || read == magic;
}

}  // namespace

std::optional<std::string> sqlite_path(std::string_view url) {
  constexpr std::string_view prefix = "sqlite:///";
  if (!url.starts_with(prefix) || url.size() == prefix.size()) return std::nullopt;
  return std::string(url.substr(prefix.size()));
}

std::optional<std::string> sqlite_file_fault(std::string_view url) {
  namespace fs = std::filesystem;
  const auto path = sqlite_path(url);
  if (!path || *path == ":memory:") return std::nullopt;
  std::error_code ignored;
  const fs::path file(*path);
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const auto fault = [](const std::string& what, const std::string& remedy) {
    return "DATABASE_URL: " + what + "; " + remedy;
  };
  if (!fs::is_directory(folder, ignored))
    return fault(folder.string() + " is no directory", "make it, or correct the path");
  if (fs::is_directory(file, ignored)) return fault(*path + " is a directory", "name a file in it");
  const bool exists = fs::exists(file, ignored);
  if (::access(folder.c_str(), W_OK | X_OK) != 0 || (exists && ::access(file.c_str(), R_OK | W_OK) != 0)) {
    return fault(*path + " may not be written by this user", "change its owner or its folder's, or name another file");
  }
  if (exists && !is_sqlite_file(file)) return fault(*path + " is no SQLite database", "name another file");
  return std::nullopt;
}

std::optional<PostgresUrl> split_postgresql_url(std::string_view url) {
  // As libpq reads it: what stands before an '@' and a '/' is user and password, which may have a '?'.
  const auto host = url.find("://") + 3;
  const auto end_of_user = url.find_first_of("@/", host);
  const auto question = url.find('?', end_of_user == std::string_view::npos ? host : end_of_user);
  if (question == std::string_view::npos) return PostgresUrl{std::string(url)};
  PostgresUrl split{std::string(url.substr(0, question))};
  char separator = '?';
  bool is_given = false;
  for (const auto part : std::views::split(url.substr(question + 1), '&')) {
    const std::string_view parameter(part);
    if (!parameter.starts_with("prepared=")) {
      split.libpq.append(1, std::exchange(separator, '&')).append(parameter);
      continue;
    }
    split.prepared = parameter == "prepared=true";
    if (std::exchange(is_given, true) || (!split.prepared && parameter != "prepared=false")) return std::nullopt;
  }
  return split;
}

bool is_postgresql_url(const std::string& url) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(url.c_str(), nullptr),
                                                                             &PQconninfoFree);
  if (!options) return false;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (std::string_view(option->keyword) == "port" && option->val != nullptr && !are_ports(option->val)) return false;
  }
  return true;
}

}  // namespace call_service::db
