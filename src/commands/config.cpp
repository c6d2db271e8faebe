#include <iostream>

#include "app.hpp"
#include "commands/commands.hpp"

namespace call_service::commands {

int print_config(const std::string& format) {
  if (format == "markdown") {
    std::cout << config_markdown();
  } else if (format == "env") {
    std::cout << config_environment_file();
  } else {
    std::cout << config_help();
  }
  return exit_ok;
}

}  // namespace call_service::commands
