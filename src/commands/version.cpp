#include <libpq-fe.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include <boost/version.hpp>
#include <iostream>

#include "app.hpp"
#include "commands/commands.hpp"

namespace call_service::commands {

int print_version() {
  const int libpq = PQlibVersion();
  std::cout << "call-service " CALL_SERVICE_VERSION "\n"
            << "libpq " << libpq / 10'000 << "." << libpq % 10'000 << "\n"
            << "SQLite " << sqlite3_libversion() << "\n"
            << "OpenSSL " << OpenSSL_version(OPENSSL_VERSION_STRING) << "\n"
            << "Boost " << BOOST_VERSION / 100'000 << "." << BOOST_VERSION / 100 % 1000 << "\n";
  return exit_ok;
}

}  // namespace call_service::commands
