#include "database/sqlite/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

namespace call_service::db::sqlite {

std::optional<FileLock> FileLock::acquire(const std::string& database_path, Milliseconds patience) {
  // By whatever links it is reached, it is one file.
  const std::string path = std::filesystem::weakly_canonical(database_path).string() + ".lock";
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "cannot open " + path);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "cannot lock " + path);
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    // flock has no timed form.
    std::this_thread::sleep_for(Milliseconds(100));
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace call_service::db::sqlite
