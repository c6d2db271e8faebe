#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "database/connection.hpp"
#include "database/url.hpp"

struct pg_conn;
struct pg_result;

namespace call_service::db::postgres {

// A connection by libpq in pipeline mode: a whole batch is sent and answered in one round trip. Blocking, but never
// longer than the deadline of a batch: then the connection is given up and the next open() makes a new one.
class PostgresConnection final : public Connection {
 public:
  // Of several hosts in the URL, both take the primary: a standby may not have yet what was answered as done. One that
  // refuses to write is read from.
  enum class Use { write, read };

  // Nothing is connected before open().
  PostgresConnection(PostgresUrl url, Use use, Dialect dialect);
  ~PostgresConnection() override;

  void open() override;
  bool run(std::span<Member*> members, Milliseconds lock_timeout) override;
  void execute_script(const std::string& sql) override;
  Rows query(const Statement& statement, const Rows& input) override;
  const Dialect& dialect() const override { return dialect_; }
  bool keeps_session() const override { return url_.prepared; }

 private:
  struct Sent;
  class Batch;
  // settled: every member has its result or its error; spoiled: one of them failed all, nothing is done;
  // stale_plan: the tables have changed since their statements were prepared
  enum class Outcome { settled, spoiled, stale_plan };
  using Deadline = std::chrono::steady_clock::time_point;
  using ResultPtr = std::unique_ptr<pg_result, void (*)(pg_result*)>;

  void close();
  bool is_alive();
  [[noreturn]] void lose(const std::string& why);
  bool is_prepared(const Statement& statement) const { return prepared_.contains(&statement); }
  const std::string& prepared_name(const Statement& statement) const { return prepared_.at(&statement); }
  void prepare(const Statement& statement, Deadline deadline);
  Outcome attempt(std::span<Member*> members, Milliseconds lock_timeout);
  void send(const Batch& batch, Milliseconds lock_timeout);
  ResultPtr receive(const Batch& batch, Deadline deadline);
  void send(const char* command);
  void send(const Statement& statement, std::span<const Row* const> input);
  void synchronize();
  // The next result in the pipeline that is not the end of a query's results.
  ResultPtr next_result(Deadline deadline);
  void wait_for_data(Deadline deadline);
  void roll_back(Deadline deadline);
  void discard_until_sync(Deadline deadline);

  PostgresUrl url_;
  Use use_;
  Dialect dialect_;
  pg_conn* connection_ = nullptr;
  // Of the statement that is being sent, kept for the next one: its rows, and its parameters as they are encoded.
  std::vector<const Row*> rows_;
  std::string encoded_;
  std::vector<std::size_t> ends_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;

  std::unordered_map<const Statement*, std::string> texts_;  // of those that are sent unprepared
  std::unordered_map<const Statement*, std::string> prepared_;
  bool commit_sent_ = false;  // and not answered yet
  bool may_replan_ = true;    // not while a batch is run again, or what always fails so would be run for ever
};

}  // namespace call_service::db::postgres
