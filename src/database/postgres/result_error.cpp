#include "database/postgres/result_error.hpp"

#include <algorithm>
#include <array>

#include "database/errors.hpp"

namespace call_service::db::postgres {

namespace {

constexpr std::string_view lock_not_available = "55P03";
constexpr std::string_view deadlock_detected = "40P01";
constexpr std::string_view serialization_failure = "40001";
constexpr std::string_view foreign_key_violation = "23503";
constexpr std::string_view feature_not_supported = "0A000";  // "cached plan must not change result type"

}  // namespace

bool succeeded(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

std::string sqlstate_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state != nullptr ? state : "";
}

std::string text_of(const char* message) {
  std::string text = message != nullptr ? message : "";
  std::ranges::replace(text, '\n', ' ');
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

bool is_outage(std::string_view sqlstate) {
  static constexpr std::array classes{"08", "53", "57", "58", "25006"};
  return sqlstate.empty() || std::ranges::any_of(classes, [&](const char* c) { return sqlstate.starts_with(c); });
}

bool is_contention(std::string_view sqlstate) {
  return sqlstate == lock_not_available || sqlstate == deadlock_detected || sqlstate == serialization_failure;
}

bool is_missing_reference(std::string_view sqlstate) {
  return sqlstate == foreign_key_violation;
}

bool is_stale_plan(std::string_view sqlstate) {
  return sqlstate == feature_not_supported;
}

std::exception_ptr error_of(const PGresult* result) {
  const std::string state = sqlstate_of(result);
  const std::string what = text_of(PQresultErrorMessage(result));
  if (state == lock_not_available) return std::make_exception_ptr(LockTimeout(what));
  if (is_outage(state) || is_contention(state)) return std::make_exception_ptr(Unavailable(what));
  return std::make_exception_ptr(StatementFailed(what, state));
}

}  // namespace call_service::db::postgres
