#pragma once

#include <libpq-fe.h>

#include <exception>
#include <string>
#include <string_view>

namespace call_service::db::postgres {

// What a PostgreSQL server's answer says about a statement that failed, by its SQLSTATE (appendix A of PostgreSQL's
// manual).

bool succeeded(const PGresult* result);

// Empty: the answer is not the server's but libpq's own, about a connection that is lost.
std::string sqlstate_of(const PGresult* result);

// A message of libpq or of the server in one line.
std::string text_of(const char* message);

// The server, not the statement, is the trouble: connection and resource errors, shutdown, read-only standby.
bool is_outage(std::string_view sqlstate);

// Somebody else holds what was asked for: lock timeout, deadlock, serialization failure.
bool is_contention(std::string_view sqlstate);

// A row that is referred to was erased since the command began.
bool is_missing_reference(std::string_view sqlstate);

// A session's plan gives other columns than its statement did when it was prepared: a migration came in between.
bool is_stale_plan(std::string_view sqlstate);

// What callers get: Unavailable (LockTimeout among them) for outages and contention, StatementFailed for the rest.
std::exception_ptr error_of(const PGresult* result);

}  // namespace call_service::db::postgres
