#include <filesystem>

#include "database/engine.hpp"
#include "database/errors.hpp"
#include "database/migrations/migrator.hpp"
#include "database/models/call.hpp"
#include "database/url.hpp"
#include "doctor/checks.hpp"

namespace call_service::doctor {

namespace {

using db::Statement;
using db::Type;

const std::string area = "schema";

bool is_missing_file(const std::string& url) {
  const auto path = db::sqlite_path(url);
  return path && !std::filesystem::exists(*path);
}

const Statement& find_newest_event() {
  static const Statement statement{.name = "find_newest_event",
                                   .input = {},
                                   .sql = "SELECT max(received_at) FROM {webhook_events}",
                                   .output = {Type::timestamp}};
  return statement;
}

const Statement& list_silent_calls() {
  static const Statement statement{
      .name = "list_silent_calls",
      .input = {},
      .sql =
          "SELECT c.call_id FROM {calls} c WHERE c.status = 'active' AND NOT EXISTS "
          "(SELECT 1 FROM {webhook_events} e WHERE e.call_id = c.call_id) ORDER BY c.call_id DESC LIMIT 100",
      .output = {Type::uuid}};
  return statement;
}

Record read_record(db::Connection& connection) {
  Record record;
  const auto newest = connection.query(find_newest_event(), {});
  if (const auto* at = std::get_if<Timestamp>(&newest.at(0).at(0))) record.newest_event = *at;
  for (const auto& row : connection.query(list_silent_calls(), {})) {
    record.silent_rooms.push_back(models::room_name_of(std::get<Uuid>(row[0])));
  }
  return record;
}

Finding judge_schema(db::Migrator& migrator) {
  if (const auto fault = db::unsuitable_database(migrator)) return {Level::problem, area, *fault, ""};
  const auto applied = migrator.applied();
  if (applied.empty()) return {Level::problem, area, "there are no tables yet", "Run: call-service migrate upgrade"};
  if (const auto fault = db::schema_fault(migrator)) return {Level::problem, area, *fault, ""};
  if (!migrator.unknown().empty()) {
    return {Level::warning, area, "is newer than this program, which still works on it",
            "Finish the upgrade: run the newer release everywhere."};
  }
  return {Level::ok, area, "revision " + applied.back().revision + ", the newest that this program knows", ""};
}

}  // namespace

Findings check_schema(const std::string& url, const std::string& schema) {
  if (is_missing_file(url)) return {};
  const SystemClock clock;
  const auto connection = db::open_database(url, schema).connect(db::ConnectionRole::read);
  db::Migrator migrator(*connection, clock);
  return {judge_schema(migrator)};
}

std::optional<Record> read_record(const std::string& url, const std::string& schema) {
  if (url.empty() || is_missing_file(url)) return std::nullopt;
  const auto connection = db::open_database(url, schema).connect(db::ConnectionRole::read);
  try {
    connection->open();
    return read_record(*connection);
  } catch (const db::Unavailable&) {
    return std::nullopt;
  } catch (const db::StatementFailed&) {
    return std::nullopt;
  }
}

}  // namespace call_service::doctor
