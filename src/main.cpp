#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "app.hpp"
#include "commands/commands.hpp"
#include "config.hpp"
#include "environment_file.hpp"
#include "log.hpp"

namespace {

using namespace call_service;

std::string environment_file;  // by --env-file

// Runs a command with the environment, to which a file may have been added.
int with_environment(const std::function<int(const Environment&)>& command) {
  if (environment_file.empty()) return command(process_environment());
  const auto environment = read_environment_file(environment_file);
  if (environment) return command(*environment);
  std::cerr << "call-service: " << environment.error() << "\n";
  return exit_configuration;
}

// Runs a command with its part of the configuration; every fault is told, a line each.
int with_config(const Environment& environment, ConfigScope scope, const std::function<int(const Config&)>& command) {
  const auto config = read_config(environment, scope);
  if (!config) {
    for (const auto& fault : config.error()) std::cerr << "call-service: " << fault << "\n";
    return exit_configuration;
  }
  log::configure(config->log_level, config->log_format);
  return command(*config);
}

int with_config(ConfigScope scope, const std::function<int(const Config&)>& command) {
  return with_environment([&](const Environment& environment) { return with_config(environment, scope, command); });
}

using MigrateCommand = int (*)(const Config&, const commands::MigrateOptions&);

void add_migrate_command(CLI::App& migrate, int& status, commands::MigrateOptions& options, MigrateCommand command,
                         const std::string& name, const std::string& what) {
  auto* added = migrate.add_subcommand(name, what);
  added->add_option("--dir", options.directory, "a directory of migrations beside the program's own")->type_name("DIR");
  added->callback([&status, &options, command] {
    status = with_config(ConfigScope::database, [&](const Config& config) { return command(config, options); });
  });
}

void add_target(CLI::App& migrate, const std::string& command, commands::MigrateOptions& options,
                const std::string& targets) {
  migrate.get_subcommand(command)->add_option("target,--to", options.target, targets);
}

void add_revision(CLI::App& migrate, int& status, commands::RevisionOptions& options) {
  auto* revision = migrate.add_subcommand("revision", "Write a new migration for both databases; print its path.");
  revision->add_option("-m,--message", options.message, "what it does, in a few words")->required();
  const std::string compared = "from the difference between the models and the database (the default)";
  auto* autogenerate = revision->add_flag("--autogenerate", compared);
  revision->add_flag("--empty", options.empty, "a skeleton, for what the models do not say")->excludes(autogenerate);
  revision->add_option("--dir", options.directory, "where to write it [src/database/migrations/]")->type_name("DIR");
  revision->callback([&] {
    status = with_config(ConfigScope::database,
                         [&](const Config& config) { return commands::migrate_revision(config, options); });
  });
}

void add_migrate(CLI::App& cli, int& status, commands::MigrateOptions& options, commands::RevisionOptions& revision) {
  auto* migrate = cli.add_subcommand("migrate", "Manage the database's schema.");
  migrate->require_subcommand(1);
  add_migrate_command(*migrate, status, options, commands::migrate_upgrade, "upgrade", "Apply what is missing.");
  add_target(*migrate, "upgrade", options, "head (the default), +N (N further ones) or a revision");
  add_migrate_command(*migrate, status, options, commands::migrate_downgrade, "downgrade", "Take migrations back.");
  add_target(*migrate, "downgrade", options, "-N (N back; -1 is the default), a revision, or base (all)");
  add_migrate_command(*migrate, status, options, commands::migrate_stamp, "stamp",
                      "Record revisions as applied without running them.");
  add_target(*migrate, "stamp", options, "head, a revision or base");
  migrate->get_subcommand("stamp")->get_option("--to")->required();
  add_migrate_command(*migrate, status, options, commands::migrate_current, "current",
                      "Show the revision of the database.");
  add_migrate_command(*migrate, status, options, commands::migrate_history, "history",
                      "List all revisions and whether they are applied.");
  add_migrate_command(*migrate, status, options, commands::migrate_check, "check",
                      "Tell how the database differs from the models; exit status 1 if it does.");
  add_revision(*migrate, status, revision);
}

// `config_format` is filled in by parsing.
void add_tools(CLI::App& cli, int& status, std::string& config_format) {
  cli.add_subcommand("doctor",
                     "Look for common mistakes in configuration, database, LiveKit and webhooks; say what to do.")
      ->callback([&] { status = with_environment(commands::examine); });

  auto* config = cli.add_subcommand("config", "Print all settings, with their defaults and meanings.");
  config->add_option("--format", config_format, "text, markdown, or env for a file to be filled in")
      ->check(CLI::IsMember({"text", "markdown", "env"}))
      ->capture_default_str();
  config->callback([&] { status = commands::print_config(config_format); });

  cli.add_subcommand("openapi", "Print the OpenAPI document.")->callback([&] { status = commands::print_openapi(); });

  cli.add_subcommand("version", "Print the versions of the program and its libraries.")->callback([&] {
    status = commands::print_version();
  });
}

// The arguments, last one first. CLI11 would take the -2 of `migrate downgrade -2` for an option's name.
std::vector<std::string> reversed_arguments(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  for (auto at = std::ranges::find(arguments, "downgrade"); at != arguments.end(); ++at) {
    if (at->size() > 1 && (*at)[0] == '-' && (*at)[1] >= '0' && (*at)[1] <= '9') at->insert(0, "--to=");
  }
  std::ranges::reverse(arguments);
  return arguments;
}

// Runs what the arguments say; wrong ones are told with where to find help.
int parse(CLI::App& cli, int argc, char** argv, const int& status) {
  try {
    cli.parse(reversed_arguments(argc, argv));
  } catch (const CLI::RequiredError& error) {
    const auto unknown = cli.remaining();
    if (unknown.empty()) return cli.exit(error) == 0 ? exit_ok : exit_configuration;
    std::cerr << "There is no command '" << unknown.front() << "'.\nRun with --help for more information.\n";
    return exit_configuration;
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? exit_ok : exit_configuration;
  }
  return status;
}

int run(int argc, char** argv) {
  CLI::App cli{"Call & Session Service: manages calls and the sessions of the people in them on top of LiveKit.",
               "call-service"};
  cli.require_subcommand(1);
  cli.fallthrough();
  cli.set_version_flag("--version", "call-service " CALL_SERVICE_VERSION);
  cli.add_option("--env-file", environment_file, "a file of NAME=value lines that go before the environment")
      ->type_name("FILE");
  int status = exit_ok;

  auto* serve_command = cli.add_subcommand("serve", "Serve the API.");
  serve_command->footer(config_help());
  serve_command->callback([&] { status = with_config(ConfigScope::serve, serve); });

  commands::MigrateOptions migrate_options;
  commands::RevisionOptions revision_options;
  add_migrate(cli, status, migrate_options, revision_options);

  commands::TokenOptions token_options;
  auto* token = cli.add_subcommand("token", "Print a user token by AUTH_JWT_SECRET, for trying things out.");
  token->add_option("--user", token_options.user_id, "the user's id")->required();
  token->add_option("--ttl", token_options.ttl_seconds, "seconds it is valid")
      ->check(CLI::Range(1, 86'400 * 365))
      ->capture_default_str();
  token->callback([&] {
    status = with_config(ConfigScope::token,
                         [&](const Config& config) { return commands::print_token(config, token_options); });
  });

  std::string config_format = "text";
  add_tools(cli, status, config_format);
  return parse(cli, argc, argv, status);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "call-service: " << error.what() << "\n";
    call_service::log::flush();
    return call_service::exit_failure;
  }
}
