#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "database/backlog.hpp"
#include "database/command.hpp"
#include "database/connection.hpp"
#include "database/dialect.hpp"

namespace call_service::db {

// What a connection will be used for.
enum class ConnectionRole { write, read };

// Runs commands. Each connection has a thread of its own (a lane), so nothing blocks a serving thread. A lane takes all
// commands that wait for it as one batch with one commit; what arrives meanwhile is the next batch. A lone command
// waits for nobody.
class Engine {
 public:
  using ConnectionFactory = std::function<std::unique_ptr<Connection>(ConnectionRole)>;

  struct Options {
    std::size_t writers = 1;  // commands of one call always go to the same one
    std::size_t readers = 1;
    std::size_t loners = 0;  // for members of a batch that failed together: run one by one, waiting for rows up to 5 s
    std::size_t largest_batch = 256;
  };

  Engine(Dialect dialect, Options options, const ConnectionFactory& connect);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Completes after the commit, on the caller's serving thread. Throws Unavailable if there is no answer within 5 s
  // (the command may still commit), Overloaded if too many wait for rows that others hold, StatementFailed if the
  // database refuses the command itself.
  Task<CommandResult> execute(Command command);

  // Whether every lane for such commands has room for one more. execute() does not ask: it is for who can still refuse
  // cheaply. Safe on any thread.
  bool has_room(CommandKind::Access access, Share share) const;

  const Dialect& dialect() const { return dialect_; }

  // Fails what waits, finishes what runs, joins the threads. Later commands fail as Unavailable.
  void stop();

 private:
  class Lane;
  struct Pending;

  Lane& lane_for(const Command& command);

  Dialect dialect_;
  std::vector<std::unique_ptr<Lane>> loners_;
  std::vector<std::unique_ptr<Lane>> writers_;
  std::vector<std::unique_ptr<Lane>> readers_;
  std::atomic<std::size_t> next_reader_{0};
};

// The engine and the means to open connections for one DATABASE_URL.
struct Database {
  Dialect dialect;
  Engine::ConnectionFactory connect;
  Engine::Options options;
};

// Throws std::invalid_argument if the URL is not one that Config accepts.
Database open_database(const std::string& url, const std::string& schema);

}  // namespace call_service::db
