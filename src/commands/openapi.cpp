#include <iostream>

#include "api/openapi/document.hpp"
#include "app.hpp"
#include "commands/commands.hpp"

namespace call_service::commands {

int print_openapi() {
  std::cout << api::openapi_document() << "\n";
  return exit_ok;
}

}  // namespace call_service::commands
