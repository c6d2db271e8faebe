// The engine as it runs in the service, on a SQLite file.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <mutex>
#include <thread>

#include "database/errors.hpp"
#include "database_test_support.hpp"

namespace call_service::db {
namespace {

using db_test::run;
using std::string_literals::operator""s;
using testing::ElementsAre;

const CommandKind& insert_kind() {
  static const CommandKind kind{
      .name = "insert",
      .statements = {{.name = "insert_item",
                      .input = {{"id", Type::integer}, {"name", Type::text}},
                      .sql = "INSERT INTO {items} (id, name) SELECT i.id, i.name FROM input i RETURNING id",
                      .output = {Type::integer}},
                     {.name = "check_item",
                      .input = {{"id", Type::integer}, {"name", Type::text}},
                      .sql = "INSERT INTO {checked} (name) SELECT i.name FROM input i"}}};
  return kind;
}

const CommandKind& names_kind() {
  static const CommandKind kind{
      .name = "names",
      .access = CommandKind::Access::read,
      .statements = {
          {.name = "names", .input = {}, .sql = "SELECT name FROM {items} ORDER BY id", .output = {Type::text}}}};
  return kind;
}

const CommandKind& wrong_kind() {
  static const CommandKind kind{.name = "wrong", .statements = {{.name = "wrong", .sql = "SELECT 1 FROM {nowhere}"}}};
  return kind;
}

Command insert(std::int64_t id, const std::string& name) {
  const Rows rows{{id, name}};
  return {.kind = &insert_kind(), .key = {}, .inputs = {rows, rows}};
}

// Tells how the engine used a connection, and holds its batches back until the gate is open.
class WatchedConnection final : public Connection {
 public:
  struct Watch {
    std::mutex mutex;
    std::vector<std::size_t> batches;
    std::latch entered{1};
    std::latch gate{1};
  };

  WatchedConnection(std::unique_ptr<Connection> connection, Watch& watch)
      : connection_(std::move(connection)), watch_(watch) {}

  void open() override { connection_->open(); }
  void execute_script(const std::string& sql) override { connection_->execute_script(sql); }
  Rows query(const Statement& statement, const Rows& input) override { return connection_->query(statement, input); }
  const Dialect& dialect() const override { return connection_->dialect(); }

  bool run(std::span<Member*> members, Milliseconds lock_timeout) override {
    {
      const std::lock_guard lock(watch_.mutex);
      if (watch_.batches.empty()) watch_.entered.count_down();
      watch_.batches.push_back(members.size());
    }
    watch_.gate.wait();
    return connection_->run(members, lock_timeout);
  }

 private:
  std::unique_ptr<Connection> connection_;
  Watch& watch_;
};

class SqliteEngine : public testing::Test {
 protected:
  SqliteEngine() {
    file_.connection->execute_script(
        "CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL);"
        "CREATE TABLE checked (name text NOT NULL CHECK (name <> 'bad'))");
  }

  std::unique_ptr<Engine> make_engine() const {
    return std::make_unique<Engine>(file_.database.dialect, file_.database.options, file_.database.connect);
  }

  // An engine whose writer waits for watch_.gate.
  std::unique_ptr<Engine> make_watched_engine(std::size_t largest_batch = 256) {
    auto options = file_.database.options;
    options.largest_batch = largest_batch;
    const auto connect = [this](ConnectionRole role) -> std::unique_ptr<Connection> {
      auto connection = file_.database.connect(role);
      if (role == ConnectionRole::read) return connection;
      return std::make_unique<WatchedConnection>(std::move(connection), watch_);
    };
    return std::make_unique<Engine>(file_.database.dialect, options, connect);
  }

  // One command alone, which is under way when this returns, and behind it the others.
  std::vector<std::future<CommandResult>> queue(Engine& engine, std::vector<Command> commands) {
    std::vector<std::future<CommandResult>> results;
    for (auto& command : commands) {
      results.push_back(boost::asio::co_spawn(context_, engine.execute(std::move(command)), boost::asio::use_future));
      context_.poll();
      if (results.size() == 1) watch_.entered.wait();
    }
    return results;
  }

  std::vector<std::string> names(Engine& engine) {
    const auto result = run(engine.execute({.kind = &names_kind(), .key = {}, .inputs = {{}}}));
    std::vector<std::string> found;
    for (const auto& row : result.rows[0]) found.push_back(std::get<std::string>(row[0]));
    return found;
  }

  db_test::SqliteFile file_;
  WatchedConnection::Watch watch_;
  boost::asio::io_context context_;
};

TEST_F(SqliteEngine, GivesEachCallerItsOwnRows) {
  const auto engine = make_engine();
  const auto result = run(engine->execute(insert(7, "ada")));
  ASSERT_EQ(result.rows.size(), 2u);
  EXPECT_EQ(result.rows[0], (Rows{{std::int64_t{7}}}));
  EXPECT_TRUE(result.rows[1].empty());
}

TEST_F(SqliteEngine, LeavesOutTheStatementsBehindTheOneThatSaysSo) {
  CommandKind kind = insert_kind();
  kind.statements[0].goes_on = [](const Rows& inserted) { return inserted != Rows{{std::int64_t{7}}}; };
  kind.statements[1].sql = "INSERT INTO {items} (id, name) SELECT i.id + 100, 'behind ' || i.name FROM input i";
  const auto engine = make_engine();
  for (const std::int64_t id : {6, 7}) {
    Command command = insert(id, "ada");
    command.kind = &kind;
    run(engine->execute(std::move(command)));
  }
  EXPECT_THAT(names(*engine), ElementsAre("ada", "ada", "behind ada"));
}

TEST_F(SqliteEngine, ReadsSeeWhatWasAcknowledged) {
  const auto engine = make_engine();
  for (std::int64_t id = 1; id <= 100; ++id) {
    run(engine->execute(insert(id, "ada")));
    ASSERT_EQ(names(*engine).size(), static_cast<std::size_t>(id));
  }
}

TEST_F(SqliteEngine, CommandsThatWaitShareACommit) {
  const auto engine = make_watched_engine();
  std::vector<Command> commands;
  for (std::int64_t id = 0; id < 11; ++id) commands.push_back(insert(id, "ada"));
  auto results = queue(*engine, std::move(commands));
  watch_.gate.count_down();
  context_.run();
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].get().rows[0], (Rows{{static_cast<std::int64_t>(i)}}));
  }
  EXPECT_THAT(watch_.batches, ElementsAre(1, 10));
}

TEST_F(SqliteEngine, BatchesHaveALimit) {
  const auto engine = make_watched_engine(4);
  std::vector<Command> commands;
  for (std::int64_t id = 0; id < 11; ++id) commands.push_back(insert(id, "ada"));
  auto results = queue(*engine, std::move(commands));
  watch_.gate.count_down();
  context_.run();
  for (auto& result : results) EXPECT_NO_THROW(result.get());
  EXPECT_THAT(watch_.batches, ElementsAre(1, 4, 4, 2));
}

TEST_F(SqliteEngine, AFailingMemberSpoilsNobodyElseAndLeavesNothingBehind) {
  const auto engine = make_watched_engine();
  auto results = queue(*engine, {insert(1, "ada"),
                                 insert(2, "bob"),
                                 insert(3, "bad"),
                                 insert(2, "twice"),
                                 {.kind = &wrong_kind(), .key = {}, .inputs = {{}}},
                                 insert(4, "carol")});
  watch_.gate.count_down();
  context_.run();
  for (const std::size_t failed : {2u, 3u, 4u}) EXPECT_THROW(results[failed].get(), StatementFailed) << failed;
  for (const std::size_t done : {0u, 1u, 5u}) EXPECT_NO_THROW(results[done].get()) << done;
  EXPECT_THAT(watch_.batches, ElementsAre(1, 5, 1, 1, 1, 1, 1));
  EXPECT_THAT(names(*engine), ElementsAre("ada", "bob", "carol"));
}

TEST_F(SqliteEngine, AReaderCannotWrite) {
  const auto engine = make_engine();
  CommandKind kind = insert_kind();
  kind.access = CommandKind::Access::read;
  Command command = insert(1, "ada");
  command.kind = &kind;
  EXPECT_ANY_THROW(run(engine->execute(std::move(command))));
  EXPECT_THAT(names(*engine), ElementsAre());
}

TEST_F(SqliteEngine, AFileThatCannotBeOpenedIsAnOutage) {
  const auto database = open_database("sqlite:////nowhere/at/all.db", "");
  Engine engine(database.dialect, database.options, database.connect);
  EXPECT_THROW(run(engine.execute(insert(1, "ada"))), Unavailable);
}

TEST_F(SqliteEngine, AnswersAllThatWaitWhenItStopsAndRefusesWhatComesLater) {
  const auto engine = make_watched_engine();
  auto results = queue(*engine, {insert(1, "ada"), insert(2, "bob"), insert(3, "carol")});
  {
    const std::jthread stopping([&] { engine->stop(); });
    watch_.gate.count_down();
  }
  context_.run();
  EXPECT_NO_THROW(results[0].get());
  for (const std::size_t i : {1u, 2u}) {
    try {
      results[i].get();
    } catch (const Unavailable&) {
      SUCCEED();
    }
  }
  EXPECT_THROW(run(engine->execute(insert(4, "dora"))), Unavailable);
  EXPECT_THROW(names(*engine), Unavailable);
}

TEST_F(SqliteEngine, KeepsWhatItAcknowledgedForTheNextOne) {
  {
    const auto engine = make_engine();
    run(engine->execute(insert(1, "ada")));
  }
  EXPECT_THAT(names(*make_engine()), ElementsAre("ada"));
}

}  // namespace
}  // namespace call_service::db
