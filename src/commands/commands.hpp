#pragma once

#include <string>

#include "config.hpp"

// The commands of the program besides `serve`. Each returns the exit status and tells its result on standard output and
// its faults on standard error.
namespace call_service::commands {

// `target`: head, +N or a revision.
int migrate_upgrade(const Config& config, const std::string& target);
// These change nothing; a SQLite file that is not there counts as empty.
int migrate_current(const Config& config);
int migrate_history(const Config& config);

struct TokenOptions {
  std::string user_id;
  int ttl_seconds = 3600;
};
int print_token(const Config& config, const TokenOptions& options);

}  // namespace call_service::commands
