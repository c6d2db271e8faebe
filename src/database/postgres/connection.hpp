#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "database/connection.hpp"

struct pg_conn;
struct pg_result;

namespace call_service::db::postgres {

// A connection by libpq in pipeline mode: a whole batch is sent and answered in one round trip. Blocking, but never
// longer than the deadline of a batch: then the connection is given up and the next open() makes a new one.
class PostgresConnection final : public Connection {
 public:
  // `url` as libpq takes it. Nothing is connected before open().
  PostgresConnection(std::string url, Dialect dialect);
  ~PostgresConnection() override;

  void open() override;
  bool run(std::span<Member*> members, Milliseconds lock_timeout) override;
  void execute_script(const std::string& sql) override;
  Rows query(const Statement& statement, const Rows& input) override;
  const Dialect& dialect() const override { return dialect_; }

 private:
  struct Sent;
  class Batch;
  using Deadline = std::chrono::steady_clock::time_point;
  using ResultPtr = std::unique_ptr<pg_result, void (*)(pg_result*)>;

  void close();
  bool is_alive();
  [[noreturn]] void lose(const std::string& why);
  bool is_prepared(const Statement& statement) const { return prepared_.contains(&statement); }
  const std::string& prepared_name(const Statement& statement) const { return prepared_.at(&statement); }
  void prepare(const Statement& statement, Deadline deadline);
  void send(const char* command);
  void send(const Statement& statement, const Rows& input);
  void synchronize();
  // The next result in the pipeline that is not the end of a query's results.
  ResultPtr next_result(Deadline deadline);
  void wait_for_data(Deadline deadline);
  void roll_back(Deadline deadline);
  void discard_until_sync(Deadline deadline);

  std::string url_;
  Dialect dialect_;
  pg_conn* connection_ = nullptr;
  std::unordered_map<const Statement*, std::string> prepared_;
};

}  // namespace call_service::db::postgres
