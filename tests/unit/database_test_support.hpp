#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/task.hpp"
#include "database/engine.hpp"
#include "database/migrations/migrator.hpp"

// A SQLite file for one test.
namespace call_service::db_test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "call-service-test-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
    path_ = path;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The database at an empty file, and a connection of the test's own to look into it.
struct SqliteFile {
  TemporaryDirectory directory;
  db::Database database = db::open_database("sqlite:///" + (directory.path() / "test.db").string(), "");
  std::unique_ptr<db::Connection> connection = database.connect(db::ConnectionRole::write);

  SqliteFile() { connection->open(); }

  void migrate() {
    const SystemClock clock;
    db::Migrator(*connection, clock).upgrade();
  }
};

// Runs a coroutine to its end on this thread; rethrows what it throws.
template <typename T>
T run(Task<T> task) {
  boost::asio::io_context context;
  auto result = boost::asio::co_spawn(context, std::move(task), boost::asio::use_future);
  context.run();
  return result.get();
}

}  // namespace call_service::db_test
