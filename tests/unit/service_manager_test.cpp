#include "service_manager.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

namespace call_service {
namespace {

// What arrives at a socket of this name, '@' for an abstract one.
std::string told_at(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
  ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  tell_service_manager("READY=1");
  std::array<char, 64> buffer{};
  const auto received = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
  ::close(socket);
  ::unsetenv("NOTIFY_SOCKET");
  return {buffer.data(), received < 0 ? 0 : static_cast<std::size_t>(received)};
}

TEST(ServiceManager, HearsTheStateOnASocketInTheFileSystem) {
  const std::string path = ::testing::TempDir() + "notify-" + std::to_string(::getpid());
  EXPECT_EQ(told_at(path), "READY=1");
  ::unlink(path.c_str());
}

TEST(ServiceManager, HearsTheStateOnAnAbstractSocket) {
  EXPECT_EQ(told_at("@call-service-test-" + std::to_string(::getpid())), "READY=1");
}

TEST(ServiceManager, IsNotMissed) {
  ::unsetenv("NOTIFY_SOCKET");
  tell_service_manager("READY=1");
  ::setenv("NOTIFY_SOCKET", (std::string(300, 'x')).c_str(), 1);
  tell_service_manager("READY=1");
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace call_service
