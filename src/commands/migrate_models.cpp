// The commands that compare a database with the models.

#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "app.hpp"
#include "commands/migrate_support.hpp"
#include "database/migrations/revision_file.hpp"
#include "database/models/schema.hpp"

namespace call_service::commands {

namespace {

const std::string default_directory = "src/database/migrations/";

struct Comparison {
  db::Schema live;
  db::Schema declared;
};

Comparison compare(db::Connection& connection, const db::Migrator& migrator) {
  Comparison both{.live = {}, .declared = models::schema()};
  const auto names = db::our_names(both.declared, migrator.known());
  both.live = db::in_declared_words(db::read_catalogs(connection, both.declared, names), both.declared,
                                    connection.dialect().kind());
  return both;
}

}  // namespace

int migrate_check(const Config& config, const MigrateOptions& options) {
  return with_reader(config, options, [](db::Connection& connection, db::Migrator& migrator) {
    const auto both = compare(connection, migrator);
    const auto lines = db::describe(db::change(both.live, both.declared), connection.dialect().kind());
    for (const auto& line : lines) std::cout << line << "\n";
    if (lines.empty()) std::cout << "no difference between the models and the database\n";
    return lines.empty() ? exit_ok : exit_failure;
  });
}

int migrate_revision(const Config& config, const RevisionOptions& options) {
  const auto directory = options.directory.value_or(default_directory);
  if (!std::filesystem::is_directory(directory)) {
    return refuse(fmt::format("{} is no directory; run this in the project's own, or give --dir", directory));
  }
  if (options.message.empty()) return refuse("-m: say in a few words what the migration does");
  return with_reader(config, {.directory = directory}, [&](db::Connection& connection, db::Migrator& migrator) {
    db::RevisionDraft draft{.message = options.message, .before = {}, .after = {}};
    if (!options.empty) {
      const auto missing = migrator.missing();
      if (!missing.empty()) {
        std::cerr << "call-service: the database lacks revision " << missing.front().revision
                  << ", so what that makes counts as different; migrate upgrade comes first as a rule\n";
      }
      auto both = compare(connection, migrator);
      if (db::change(both.live, both.declared).empty()) {
        std::cout << "no difference between the models and the database; nothing was written\n";
        return exit_ok;
      }
      draft.before = std::move(both.live);
      draft.after = std::move(both.declared);
    }
    const auto path = db::write_revision(draft, migrator, directory);
    if (!path) return refuse(path.error());
    std::cout << *path << "\n";
    return exit_ok;
  });
}

}  // namespace call_service::commands
