#pragma once

#include <optional>
#include <string>

#include "config.hpp"

// The commands of the program besides `serve`. Each returns the exit status and tells its result on standard output and
// its faults on standard error.
namespace call_service::commands {

struct MigrateOptions {
  std::string target{};
  // Migrations beside the program's own: to try one out before it is built in.
  std::optional<std::string> directory{};
};
// `target`: head, +N or a revision.
int migrate_upgrade(const Config& config, const MigrateOptions& options);
// `target`: -N, a revision or base.
int migrate_downgrade(const Config& config, const MigrateOptions& options);
// `target`: head, a revision or base.
int migrate_stamp(const Config& config, const MigrateOptions& options);
// These change nothing; a SQLite file that is not there counts as empty. `check`: 1 if database and models differ.
int migrate_current(const Config& config, const MigrateOptions& options);
int migrate_history(const Config& config, const MigrateOptions& options);
int migrate_check(const Config& config, const MigrateOptions& options);

struct RevisionOptions {
  std::string message;
  bool empty = false;  // a skeleton; else from the difference between the models and the database
  std::optional<std::string> directory;
};
int migrate_revision(const Config& config, const RevisionOptions& options);

struct TokenOptions {
  std::string user_id;
  int ttl_seconds = 3600;
};
int print_token(const Config& config, const TokenOptions& options);

// Looks for what commonly goes wrong: 0 nothing, 1 problems, 2 the configuration is wrong. Ends the process itself.
[[noreturn]] int examine(const Environment& environment);

// The table of settings: "text", "markdown" or "env".
int print_config(const std::string& format);

int print_version();

// The OpenAPI document, as GET /openapi.json answers it; needs no configuration.
int print_openapi();

}  // namespace call_service::commands
