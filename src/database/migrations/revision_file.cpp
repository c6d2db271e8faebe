#include "database/migrations/revision_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <memory>

#include "database/schema/generate.hpp"

namespace call_service::db {

namespace {

using enum Dialect::Kind;

constexpr std::size_t longest_slug = 60;

// "Add a topic!" -> "add_a_topic"
std::string slug_of(std::string_view message) {
  std::string slug;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) != 0) {
      slug += static_cast<char>(std::tolower(byte));
    } else if (!slug.empty() && slug.back() != '_') {
      slug += '_';
    }
  }
  slug.resize(std::min(slug.size(), longest_slug));
  while (slug.ends_with('_')) slug.pop_back();
  return slug.empty() ? "migration" : slug;
}

int last_revision(Migrator& migrator) {
  int last = 0;
  for (const auto& each : migrator.known()) last = std::max(last, std::stoi(each.revision));
  for (const auto& each : migrator.unknown()) last = std::max(last, std::atoi(each.revision.c_str()));
  return last;
}

std::string one_line(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return text;
}

std::string section(std::string_view heading, const std::string& statements) {
  return fmt::format("\n-- {}\n\n{}", heading, statements);
}

// The release before still works on the schema if it does not use what is dropped.
std::string contraction_note(const RevisionDraft& draft) {
  const auto needed = change(draft.before, draft.after);
  const bool drops = std::ranges::any_of(
      needed.tables, [](const TableChange& table) { return table.after == nullptr || !table.columns.dropped.empty(); });
  if (!drops) return "";
  return "--\n-- EDIT: this drops tables or columns. The release before must work without them already: first a "
         "release that\n"
         "-- does not use them, then this.\n";
}

// Going back is the same difference the other way round.
std::string text_of(const RevisionDraft& draft, int last) {
  return fmt::format("-- {}\n-- compatible from {:04}\n", one_line(draft.message), last) + contraction_note(draft) +
         section("upgrade postgresql", migration_statements(draft.before, draft.after, postgresql)) +
         section("downgrade postgresql", migration_statements(draft.after, draft.before, postgresql)) +
         section("upgrade sqlite", migration_statements(draft.before, draft.after, sqlite)) +
         section("downgrade sqlite", migration_statements(draft.after, draft.before, sqlite));
}

}  // namespace

std::expected<std::string, std::string> write_revision(const RevisionDraft& draft, Migrator& migrator,
                                                       const std::string& directory) {
  const auto separator = directory.ends_with('/') ? "" : "/";
  const int last = last_revision(migrator);
  auto path = fmt::format("{}{}{:04}_{}.sql", directory, separator, last + 1, slug_of(draft.message));
  const auto text = text_of(draft, last);
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wxe"), &std::fclose);
  const bool is_written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                          std::fclose(file.release()) == 0;
  if (!is_written) return std::unexpected(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return path;
}

Names our_names(const Schema& declared, const std::vector<Migration>& known) {
  Names names;
  for (const auto& table : declared.tables) names.insert(table.name);
  for (const auto& function : declared.functions) names.insert(function.name);
  for (const auto& migration : known) {
    for (auto& name : created_tables(migration)) names.insert(std::move(name));
    for (auto& name : created_functions(migration)) names.insert(std::move(name));
  }
  return names;
}

}  // namespace call_service::db
