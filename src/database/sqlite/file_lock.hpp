#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"

namespace call_service::db::sqlite {

// The exclusive right to write to a SQLite file: flock(2) on `<file>.lock`, held until destruction and released by the
// system when the process dies.
class FileLock {
 public:
  // Waits up to `patience`; nullopt if another process holds it. Throws std::system_error if the file cannot be made.
  static std::optional<FileLock> acquire(const std::string& database_path, Milliseconds patience);

  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace call_service::db::sqlite
