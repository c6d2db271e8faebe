#include <CLI/CLI.hpp>
#include <iostream>

#include "app.hpp"
#include "commands/commands.hpp"
#include "config.hpp"
#include "log.hpp"

namespace {

using namespace call_service;

// Runs a command with its part of the configuration; every fault is told, a line each.
int with_config(ConfigScope scope, const std::function<int(const Config&)>& command) {
  const auto config = read_config(process_environment(), scope);
  if (!config) {
    for (const auto& fault : config.error()) std::cerr << "call-service: " << fault << "\n";
    return exit_configuration;
  }
  log::configure(config->log_level, config->log_format);
  return command(*config);
}

int run(int argc, char** argv) {
  CLI::App cli{"Call & Session Service: manages calls and the sessions of the people in them on top of LiveKit."};
  cli.require_subcommand(1);
  int status = exit_ok;

  auto* serve_command = cli.add_subcommand("serve", "Serve the API.");
  serve_command->footer(config_help());
  serve_command->callback([&] { status = with_config(ConfigScope::serve, serve); });

  auto* migrate = cli.add_subcommand("migrate", "Manage the database's schema.");
  migrate->require_subcommand(1);
  std::string target = "head";
  auto* upgrade = migrate->add_subcommand("upgrade", "Apply what is missing.");
  upgrade->add_option("target", target, "head, +N (N further ones) or a revision")->capture_default_str();
  upgrade->callback([&] {
    status = with_config(ConfigScope::database,
                         [&](const Config& config) { return commands::migrate_upgrade(config, target); });
  });
  migrate->add_subcommand("current", "Show the revision of the database.")->callback([&] {
    status = with_config(ConfigScope::database, commands::migrate_current);
  });
  migrate->add_subcommand("history", "List all revisions and whether they are applied.")->callback([&] {
    status = with_config(ConfigScope::database, commands::migrate_history);
  });

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

  cli.add_subcommand("version", "Print the version.")->callback([] {
    std::cout << "call-service " CALL_SERVICE_VERSION "\n";
  });

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? exit_ok : exit_configuration;
  }
  return status;
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
