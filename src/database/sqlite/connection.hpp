#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "database/connection.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace call_service::db::sqlite {

// A connection to a SQLite file: WAL, synchronous=FULL, foreign keys on. Members of a batch share a transaction; if
// one fails, it is rolled back for all: a savepoint for each would cost all of them more than the rare second run.
class SqliteConnection final : public Connection {
 public:
  enum class Mode { read_write, read_only };

  SqliteConnection(std::string path, Mode mode, Dialect dialect);
  ~SqliteConnection() override;

  void open() override;
  bool run(std::span<Member*> members, Milliseconds lock_timeout) override;
  void execute_script(const std::string& sql) override;
  Rows query(const Statement& statement, const Rows& input) override;
  const Dialect& dialect() const override { return dialect_; }

 private:
  void close();
  void execute(const char* sql);
  void run_member(Member& member);
  void step_through(const Statement& statement, const Row& input, Rows& output);
  sqlite3_stmt* prepared(const Statement& statement);

  std::string path_;
  Mode mode_;
  Dialect dialect_;
  sqlite3* database_ = nullptr;
  std::unordered_map<const Statement*, sqlite3_stmt*> prepared_;
  std::vector<std::string> texts_;  // of a statement's parameters while it runs, and their memory for the next one
};

}  // namespace call_service::db::sqlite
