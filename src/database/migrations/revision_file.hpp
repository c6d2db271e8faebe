#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "database/migrations/migrator.hpp"
#include "database/schema/difference.hpp"

namespace call_service::db {

// What a new migration is to do: make `after` of `before`. Equal ones make an empty skeleton.
struct RevisionDraft {
  std::string message;
  Schema before;
  Schema after;
};

// Writes NNNN_message.sql, numbered after all that the migrator knows or the database has, and returns its path; the
// error says why it could not be written.
std::expected<std::string, std::string> write_revision(const RevisionDraft& draft, Migrator& migrator,
                                                       const std::string& directory);

// The names of tables and functions that are ours: those of the models and all that migrations have ever made.
Names our_names(const Schema& declared, const std::vector<Migration>& known);

}  // namespace call_service::db
