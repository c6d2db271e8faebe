#include <iostream>

#include "app.hpp"
#include "commands/commands.hpp"
#include "middlewares/authorization.hpp"
#include "schemas/text_rules.hpp"

namespace call_service::commands {

int print_token(const Config& config, const TokenOptions& options) {
  if (!config.auth_jwt_secret) {
    std::cerr << "call-service: AUTH_JWT_SECRET is not set; it signs the token\n";
    return exit_configuration;
  }
  if (!schemas::is_user_id(options.user_id)) {
    std::cerr << "call-service: --user is not a valid user id (1 to 128 characters, see the API's documentation)\n";
    return exit_configuration;
  }
  std::cout << middlewares::make_user_token(options.user_id, *config.auth_jwt_secret, SystemClock().now(),
                                            Seconds(options.ttl_seconds), config.auth_jwt_issuer,
                                            config.auth_jwt_audience)
            << "\n";
  return exit_ok;
}

}  // namespace call_service::commands
