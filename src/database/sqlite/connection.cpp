#include "database/sqlite/connection.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "database/errors.hpp"

namespace call_service::db::sqlite {

namespace {

// Full disk, I/O error, locked by another program, not a database: the file's trouble, not the statement's.
bool is_outage(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
      return true;
    default:
      return false;
  }
}

[[noreturn]] void raise(sqlite3* database, int code) {
  const std::string what = std::string("SQLite: ") + sqlite3_errmsg(database);
  if (is_outage(code)) throw Unavailable(what);
  throw StatementFailed(what, std::to_string(code));
}

// Binds a value without a copy: it, and `text` for those that have to be written out, stay until the statement is
// reset.
struct Binder {
  sqlite3_stmt* statement;
  int index;
  std::string& text;

  int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
  int operator()(const Uuid& id) const {
    text.clear();
    id.append_to(text);
    return (*this)(text);
  }
  int operator()(const std::string& value) const {
    return sqlite3_bind_text(statement, index, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
  }
  int operator()(Timestamp at) const {
    text.clear();
    append_timestamp(text, at);
    return (*this)(text);
  }
  int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, index, number); }
  int operator()(bool flag) const { return sqlite3_bind_int(statement, index, flag ? 1 : 0); }
};

// Valid until the statement goes on.
std::string_view text_at(sqlite3_stmt* statement, int column) {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

Value read(sqlite3_stmt* statement, int column, Type type) {
  if (sqlite3_column_type(statement, column) == SQLITE_NULL) return {};
  switch (type) {
    case Type::uuid:
      if (const auto id = Uuid::parse(text_at(statement, column))) return *id;
      throw StatementFailed("SQLite: not a uuid: " + std::string(text_at(statement, column)), "uuid");
    case Type::timestamp:
      if (const auto at = parse_timestamp(text_at(statement, column))) return *at;
      throw StatementFailed("SQLite: not a time: " + std::string(text_at(statement, column)), "timestamp");
    case Type::text:
    case Type::json:
      return std::string(text_at(statement, column));
    case Type::integer:
      return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
    case Type::boolean:
      return sqlite3_column_int(statement, column) != 0;
  }
  std::unreachable();
}

// Before the first connection: nobody asks how much memory SQLite uses, and counting it takes a lock for each piece.
void set_up_library() {
  static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(once);
}

// Frees a statement for its next use, whatever happened.
struct Reset {
  sqlite3_stmt* statement;
  ~Reset() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

}  // namespace

SqliteConnection::SqliteConnection(std::string path, Mode mode, Dialect dialect)
    : path_(std::move(path)), mode_(mode), dialect_(std::move(dialect)) {}

SqliteConnection::~SqliteConnection() {
  close();
}

void SqliteConnection::close() {
  for (const auto& [statement, handle] : prepared_) sqlite3_finalize(handle);
  prepared_.clear();
  sqlite3_close_v2(database_);
  database_ = nullptr;
}

void SqliteConnection::open() {
  if (database_ != nullptr) return;
  set_up_library();
  // The writer makes the file and its WAL; a reader's connection is kept from writing by query_only.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path_.c_str(), &database_, flags, nullptr);
  if (code != SQLITE_OK) {
    const std::string why = sqlite3_errmsg(database_);
    close();
    throw Unavailable("cannot open " + path_ + ": " + why);
  }
  sqlite3_busy_timeout(database_, 5000);
  try {
    execute("PRAGMA journal_mode = WAL");
    execute("PRAGMA synchronous = FULL");
    execute("PRAGMA foreign_keys = ON");
    // Pages that a batch comes back to stay in memory (64 MiB), and so does what a statement may have to undo.
    execute("PRAGMA cache_size = -65536");
    execute("PRAGMA temp_store = MEMORY");
    // Pages that every batch writes are copied from the log into the file once in 16 MiB of log, not once in 4.
    execute("PRAGMA wal_autocheckpoint = 4096");
    if (mode_ == Mode::read_only) execute("PRAGMA query_only = ON");
  } catch (const std::exception& error) {
    const std::string why = error.what();
    close();
    throw Unavailable("cannot use " + path_ + ": " + why);
  }
}

void SqliteConnection::execute(const char* sql) {
  const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) raise(database_, code);
}

void SqliteConnection::execute_script(const std::string& sql) {
  try {
    execute(sql.c_str());
  } catch (...) {
    if (sqlite3_get_autocommit(database_) == 0) execute("ROLLBACK");
    throw;
  }
}

sqlite3_stmt* SqliteConnection::prepared(const Statement& statement) {
  const auto known = prepared_.find(&statement);
  if (known != prepared_.end()) return known->second;
  const std::string sql = dialect_.render(statement);
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.c_str(), static_cast<int>(sql.size()) + 1,
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) raise(database_, code);
  prepared_.emplace(&statement, handle);
  return handle;
}

void SqliteConnection::step_through(const Statement& statement, const Row& input, Rows& output) {
  sqlite3_stmt* handle = prepared(statement);
  const Reset reset{handle};
  // Columns behind the last that the statement speaks of have no parameter.
  const auto parameters = static_cast<std::size_t>(sqlite3_bind_parameter_count(handle));
  if (texts_.size() < parameters) texts_.resize(parameters);
  for (std::size_t i = 0; i < std::min(input.size(), parameters); ++i) {
    const int code = std::visit(Binder{handle, static_cast<int>(i) + 1, texts_[i]}, input[i]);
    if (code != SQLITE_OK) raise(database_, code);
  }
  while (true) {
    const int code = sqlite3_step(handle);
    if (code == SQLITE_DONE) return;
    if (code != SQLITE_ROW) raise(database_, code);
    Row row;
    row.reserve(statement.output.size());
    for (std::size_t column = 0; column < statement.output.size(); ++column) {
      row.push_back(read(handle, static_cast<int>(column), statement.output[column]));
    }
    if (!row.empty()) output.push_back(std::move(row));
  }
}

void SqliteConnection::run_member(Member& member) {
  const auto& statements = member.command->kind->statements;
  member.result.rows.assign(statements.size(), {});
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (statements[i].input.empty()) step_through(statements[i], {}, member.result.rows[i]);
    for (const auto& input : member.command->inputs[i]) step_through(statements[i], input, member.result.rows[i]);
    if (statements[i].goes_on != nullptr && !statements[i].goes_on(member.result.rows[i])) return;
  }
}

bool SqliteConnection::run(std::span<Member*> members, Milliseconds) {
  try {
    execute(mode_ == Mode::read_only ? "BEGIN" : "BEGIN IMMEDIATE");
    try {
      for (Member* member : members) run_member(*member);
    } catch (const StatementFailed&) {
      execute("ROLLBACK");
      if (members.size() > 1) return false;
      members.front()->error = std::current_exception();
      return true;
    }
    execute("COMMIT");
  } catch (const std::exception& error) {
    const std::string why = error.what();
    // A full disk or an I/O error may have rolled back already; a new connection is the one state known for sure.
    close();
    throw Unavailable(why);
  }
  return true;
}

Rows SqliteConnection::query(const Statement& statement, const Rows& input) {
  Rows rows;
  if (statement.input.empty()) step_through(statement, {}, rows);
  for (const auto& row : input) step_through(statement, row, rows);
  return rows;
}

}  // namespace call_service::db::sqlite
