#include "database/postgres/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "database/errors.hpp"
#include "database/postgres/binary.hpp"
#include "database/postgres/result_error.hpp"
#include "database/postgres/settings.hpp"

namespace call_service::db::postgres {

namespace {

// Longer than the lock timeout, so that a lock gives way first; and until then nobody waits any more (engine.cpp).
// What is given up later keeps its lane on a server that may be gone for good.
Milliseconds batch_timeout(Milliseconds lock_timeout) {
  return std::max<Milliseconds>(Seconds(5), lock_timeout + Seconds(3));
}

constexpr Seconds query_timeout{8};

std::vector<Oid> array_oids(const Statement& statement) {
  std::vector<Oid> types;
  for (const auto& column : statement.input) types.push_back(array_oid(column.type));
  return types;
}

Row read_row(const PGresult* result, int row, const std::vector<Type>& types) {
  Row values;
  values.reserve(types.size());
  for (int column = 0; column < static_cast<int>(types.size()); ++column) {
    if (PQgetisnull(result, row, column) != 0) {
      values.emplace_back();
      continue;
    }
    const std::string_view bytes(PQgetvalue(result, row, column),
                                 static_cast<std::size_t>(PQgetlength(result, row, column)));
    values.push_back(decode(types[static_cast<std::size_t>(column)], bytes));
  }
  return values;
}

}  // namespace

PostgresConnection::PostgresConnection(PostgresUrl url, Use use, Dialect dialect)
    : url_(std::move(url)), use_(use), dialect_(std::move(dialect)) {}

PostgresConnection::~PostgresConnection() {
  close();
}

void PostgresConnection::close() {
  if (connection_ != nullptr) PQfinish(connection_);
  connection_ = nullptr;
  prepared_.clear();
  may_replan_ = true;
}

void PostgresConnection::lose(const std::string& why) {
  const std::string message = text_of(PQerrorMessage(connection_));
  close();
  throw Unavailable(message.empty() ? why : why + ": " + message);
}

// A server that went away says so on the idle connection: first with an error, then with its end.
bool PostgresConnection::is_alive() {
  if (connection_ == nullptr) return false;
  pollfd socket{PQsocket(connection_), POLLIN, 0};
  while (::poll(&socket, 1, 0) > 0 && PQconsumeInput(connection_) == 1) continue;
  return PQstatus(connection_) == CONNECTION_OK;
}

void PostgresConnection::open() {
  if (is_alive()) return;
  close();
  // What stands before `dbname` may be overridden by the URL, which libpq expands in its place.
  const char* session = use_ == Use::write ? "read-write" : "primary";
  const std::array keywords{
      "target_session_attrs", "connect_timeout", "application_name", "tcp_user_timeout",
      "keepalives_idle",      "dbname",          "client_encoding",  static_cast<const char*>(nullptr)};
  const std::array values{
      session, "3", "call-service", "5000", "10", url_.libpq.c_str(), "UTF8", static_cast<const char*>(nullptr)};
  connection_ = PQconnectdbParams(keywords.data(), values.data(), 1);
  if (PQstatus(connection_) != CONNECTION_OK) lose("cannot connect to PostgreSQL");
  PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1) lose("cannot use the connection");
}

void PostgresConnection::wait_for_data(Deadline deadline) {
  while (true) {
    const int unsent = PQflush(connection_);
    if (unsent < 0) lose("connection lost");
    const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) lose("PostgreSQL did not answer in time");
    pollfd socket{PQsocket(connection_), static_cast<short>(POLLIN | (unsent != 0 ? POLLOUT : 0)), 0};
    const int ready = ::poll(&socket, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) lose("connection lost");
    if (ready <= 0 || (socket.revents & (POLLIN | POLLERR | POLLHUP)) == 0) continue;
    if (PQconsumeInput(connection_) != 1) lose("connection lost");
    return;
  }
}

PostgresConnection::ResultPtr PostgresConnection::next_result(Deadline deadline) {
  while (true) {
    if (PQflush(connection_) < 0) lose("connection lost");
    while (PQisBusy(connection_) != 0) wait_for_data(deadline);
    ResultPtr result(PQgetResult(connection_), PQclear);
    if (result != nullptr) return result;
    // After a lost connection there is no end of nulls.
    if (PQstatus(connection_) == CONNECTION_BAD) lose("connection lost");
  }
}

void PostgresConnection::send(const char* command) {
  if (PQsendQueryParams(connection_, command, 0, nullptr, nullptr, nullptr, nullptr, 1) != 1) lose("cannot send");
}

void PostgresConnection::send(const Statement& statement, std::span<const Row* const> input) {
  const std::size_t size = statement.input.size();
  encoded_.clear();
  ends_.clear();
  for (std::size_t i = 0; i < size; ++i) {
    append_array(encoded_, statement.input[i].type, input, i);
    ends_.push_back(encoded_.size());
  }
  // Only now does the buffer stay where it is.
  values_.resize(size);
  lengths_.resize(size);
  formats_.assign(size, 1);
  for (std::size_t i = 0, begin = 0; i < size; begin = ends_[i], ++i) {
    values_[i] = encoded_.data() + begin;
    lengths_[i] = static_cast<int>(ends_[i] - begin);
  }
  const int count = static_cast<int>(size);
  int sent = 0;
  if (url_.prepared) {
    sent = PQsendQueryPrepared(connection_, prepared_name(statement).c_str(), count, values_.data(), lengths_.data(),
                               formats_.data(), 1);
  } else {
    std::string& text = texts_[&statement];
    if (text.empty()) text = dialect_.render(statement);
    sent = PQsendQueryParams(connection_, text.c_str(), count, array_oids(statement).data(), values_.data(),
                             lengths_.data(), formats_.data(), 1);
  }
  if (sent != 1) lose("cannot send");
}

void PostgresConnection::synchronize() {
  if (PQpipelineSync(connection_) != 1) lose("cannot send");
}

void PostgresConnection::discard_until_sync(Deadline deadline) {
  while (PQresultStatus(next_result(deadline).get()) != PGRES_PIPELINE_SYNC) {
  }
}

void PostgresConnection::roll_back(Deadline deadline) {
  send("ROLLBACK");
  synchronize();
  discard_until_sync(deadline);
}

// In a round trip of its own, outside of the transaction: happens once a connection and statement.
void PostgresConnection::prepare(const Statement& statement, Deadline deadline) {
  if (!url_.prepared || is_prepared(statement)) return;
  const std::string name = "s" + std::to_string(prepared_.size());
  const auto types = array_oids(statement);
  if (PQsendPrepare(connection_, name.c_str(), dialect_.render(statement).c_str(), static_cast<int>(types.size()),
                    types.data()) != 1) {
    lose("cannot send");
  }
  synchronize();
  const auto result = next_result(deadline);
  const bool prepared = succeeded(result.get());
  discard_until_sync(deadline);
  if (!prepared) std::rethrow_exception(error_of(result.get()));
  prepared_.emplace(&statement, name);
}

// One statement of a batch on its way, with those whose rows it carries.
struct PostgresConnection::Sent {
  const Statement* statement;
  std::size_t index;
  std::vector<Member*> members;
};

// The plan of a batch: what is sent, in order, and where the answers go.
class PostgresConnection::Batch {
 public:
  explicit Batch(std::span<Member*> members) : groups_(group_members(members)) {
    for (const bool first : {true, false}) {
      for (const auto& group : groups_) add(group, first);
    }
  }

  const std::vector<Sent>& sent() const { return sent_; }
  bool only_reads() const {
    return std::ranges::all_of(groups_, [](const Group& g) { return g.kind->access == CommandKind::Access::read; });
  }

  static void collect_input(const Sent& sent, std::vector<const Row*>& rows) {
    rows.clear();
    for (const auto* member : sent.members) {
      for (const auto& row : member->command->inputs[sent.index]) rows.push_back(&row);
    }
    if (sent.statement->first) std::ranges::sort(rows, {}, [](const Row* row) -> const Row& { return *row; });
  }

  static void distribute(const Sent& sent, const PGresult* result) {
    for (int row = 0; row < PQntuples(result); ++row) {
      Row values = read_row(result, row, sent.statement->output);
      Member* member = sent.members.front();
      if (sent.members.size() > 1) member = member_of(sent, std::get<Uuid>(values.front()));
      member->result.rows[sent.index].push_back(std::move(values));
    }
  }

 private:
  // A group's members are in the order of their keys.
  static Member* member_of(const Sent& sent, const Uuid& key) {
    const auto found =
        std::ranges::lower_bound(sent.members, key, {}, [](const Member* member) { return member->command->key; });
    if (found == sent.members.end() || (*found)->command->key != key) {
      throw std::logic_error(sent.statement->name + " returned a key that nobody asked for");
    }
    return *found;
  }

  void add(const Group& group, bool first) {
    const auto& statements = group.kind->statements;
    for (std::size_t i = 0; i < statements.size(); ++i) {
      if (statements[i].first != first) continue;
      Sent sent{&statements[i], i, {}};
      for (auto* member : group.members) {
        if (statements[i].input.empty() || !member->command->inputs[i].empty()) sent.members.push_back(member);
      }
      if (!sent.members.empty()) sent_.push_back(std::move(sent));
    }
  }

  std::vector<Group> groups_;
  std::vector<Sent> sent_;
};

bool PostgresConnection::run(std::span<Member*> members, Milliseconds lock_timeout) {
  try {
    const Outcome first = attempt(members, lock_timeout);
    if (first != Outcome::stale_plan) return first == Outcome::settled;
    // Cured by preparing anew.
    close();
    open();
    may_replan_ = false;
    const Outcome second = attempt(members, lock_timeout);
    may_replan_ = true;
    return second == Outcome::settled;
  } catch (const Unavailable& lost) {
    close();
    if (commit_sent_) throw OutcomeUnknown(lost.what());
    throw;
  } catch (...) {
    // Answers that nobody reads would be taken for those of the next batch.
    close();
    throw;
  }
}

// Sends the whole transaction, then reads all its answers.
PostgresConnection::Outcome PostgresConnection::attempt(std::span<Member*> members, Milliseconds lock_timeout) {
  const Deadline deadline = std::chrono::steady_clock::now() + batch_timeout(lock_timeout);
  for (auto* member : members) member->result.rows.assign(member->command->kind->statements.size(), {});
  const Batch batch(members);
  commit_sent_ = false;
  try {
    prepare(settings(), deadline);
    for (const auto& sent : batch.sent()) prepare(*sent.statement, deadline);
  } catch (const StatementFailed&) {
    if (members.size() > 1) return Outcome::spoiled;
    members.front()->error = std::current_exception();
    return Outcome::settled;
  }
  commit_sent_ = !batch.only_reads();
  send(batch, lock_timeout);
  const ResultPtr failure = receive(batch, deadline);
  commit_sent_ = false;
  if (failure == nullptr) return Outcome::settled;
  const std::string state = sqlstate_of(failure.get());
  if (is_outage(state)) lose(text_of(PQresultErrorMessage(failure.get())));
  roll_back(deadline);
  if (is_stale_plan(state) && may_replan_ && url_.prepared) return Outcome::stale_plan;
  // Where a user was erased since the command began (services/retention), it makes the user when begun anew.
  const bool is_worth_another_try = is_contention(state) || is_missing_reference(state);
  if (members.size() > 1 || (is_worth_another_try && lock_timeout < Seconds(1))) return Outcome::spoiled;
  members.front()->result.rows.assign(members.front()->command->kind->statements.size(), {});
  members.front()->error = error_of(failure.get());
  return Outcome::settled;
}

void PostgresConnection::send(const Batch& batch, Milliseconds lock_timeout) {
  send(batch.only_reads() ? "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                          : "BEGIN ISOLATION LEVEL READ COMMITTED");
  const Row said{std::to_string(lock_timeout.count())};
  send(settings(), std::array{&said});
  for (const auto& sent : batch.sent()) {
    Batch::collect_input(sent, rows_);
    send(*sent.statement, rows_);
  }
  send("COMMIT");
  synchronize();
}

// The first failure, or null: then the commit is done and all rows are handed out.
PostgresConnection::ResultPtr PostgresConnection::receive(const Batch& batch, Deadline deadline) {
  ResultPtr failure(nullptr, PQclear);
  const auto take = [&] {
    auto result = next_result(deadline);
    if (failure == nullptr && !succeeded(result.get())) failure = std::move(result);
    return result;
  };
  take();  // BEGIN
  take();  // settings
  for (const auto& sent : batch.sent()) {
    const auto result = take();
    if (failure == nullptr) Batch::distribute(sent, result.get());
  }
  take();  // COMMIT
  discard_until_sync(deadline);
  return failure;
}

void PostgresConnection::execute_script(const std::string& sql) {
  if (PQexitPipelineMode(connection_) != 1 || PQsetnonblocking(connection_, 0) != 0) lose("cannot use the connection");
  const ResultPtr result(PQexec(connection_, sql.c_str()), PQclear);
  if (PQstatus(connection_) != CONNECTION_OK) lose("connection lost");
  const bool done = succeeded(result.get()) || PQresultStatus(result.get()) == PGRES_EMPTY_QUERY;
  if (!done && PQtransactionStatus(connection_) != PQTRANS_IDLE) ResultPtr(PQexec(connection_, "ROLLBACK"), PQclear);
  if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1) lose("cannot use the connection");
  if (!done) std::rethrow_exception(error_of(result.get()));
}

Rows PostgresConnection::query(const Statement& statement, const Rows& input) {
  const Deadline deadline = std::chrono::steady_clock::now() + query_timeout;
  prepare(statement, deadline);
  rows_.clear();
  for (const auto& row : input) rows_.push_back(&row);
  send(statement, rows_);
  synchronize();
  const auto result = next_result(deadline);
  discard_until_sync(deadline);
  if (!succeeded(result.get())) std::rethrow_exception(error_of(result.get()));
  Rows rows;
  const int count = PQntuples(result.get());
  for (int row = 0; row < count; ++row) rows.push_back(read_row(result.get(), row, statement.output));
  return rows;
}

}  // namespace call_service::db::postgres
