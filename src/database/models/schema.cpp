#include "database/models/schema.hpp"

#include <map>
#include <string>
#include <vector>

#include "database/models/call.hpp"
#include "database/models/intent.hpp"
#include "database/models/lease.hpp"
#include "database/models/room_creation.hpp"
#include "database/models/session.hpp"
#include "database/models/timeline_entry.hpp"
#include "database/models/triggers.hpp"
#include "database/models/user.hpp"
#include "database/models/webhook_event.hpp"

namespace call_service::models {

namespace {

using db::ColumnSchema;
using db::ForeignKeySchema;
using db::Sql;
using db::TableSchema;
using db::Type;

ColumnSchema column(std::string name, Type type, bool required) {
  using enum db::Dialect::Kind;
  return {.name = std::move(name),
          .type = {std::string(db::sql_type(type, postgresql)), std::string(db::sql_type(type, sqlite))},
          .required = required};
}

// The model's columns: NOT NULL is what is not optional in the struct.
template <typename Model>
std::vector<ColumnSchema> columns_of(const std::map<std::string, std::string>& defaults = {}) {
  std::vector<ColumnSchema> columns;
  const auto add = [&]<typename Member>(const db::ColumnOf<Model, Member>& member) {
    columns.push_back(column(std::string(member.name), db::column_type<Member>(), !db::IsOptional<Member>::value));
    const auto value = defaults.find(columns.back().name);
    if (value != defaults.end()) columns.back().default_value = Sql(value->second);
  };
  std::apply([&](const auto&... each) { (add(each), ...); }, Model::columns());
  return columns;
}

ForeignKeySchema to_user(const std::string& table, const std::string& name) {
  return {.name = table + "_" + name + "_fkey",
          .columns = name,
          .table = "users",
          .referenced = "user_id",
          .on_update = "CASCADE"};
}

ForeignKeySchema to_call(const std::string& table) {
  return {.name = table + "_call_id_fkey",
          .columns = "call_id",
          .table = "calls",
          .referenced = "call_id",
          .on_delete = "CASCADE"};
}

TableSchema users() {
  return {.name = "users", .columns = columns_of<User>(), .primary_key = "user_id"};
}

TableSchema calls() {
  auto columns = columns_of<Call>({{"participant_count", "0"}, {"version", "0"}});
  columns.push_back(column("room_name", Type::text, true));
  columns.back().generated = Sql("'call_' || call_id::text", "'call_' || call_id");
  return {
      .name = "calls",
      .columns = std::move(columns),
      .primary_key = "call_id",
      .foreign_keys = {to_user("calls", "caller_id")},
      .checks = {{"calls_status_check", "status IN ('active', 'ended')"},
                 {"calls_ended_by_type_check", "ended_by_type IN ('user', 'service')"},
                 {"calls_max_participants_check", "max_participants BETWEEN 1 AND 10000"},
                 {"calls_participant_count_check", "participant_count >= 0"},
                 {"calls_room_deletion_check", "room_deletion IN ('pending', 'done')"},
                 {"calls_times", "started_at <= ended_at"},
                 {"calls_end",
                  "(status = 'ended') = (ended_at IS NOT NULL) AND (status = 'ended') = (end_reason IS NOT NULL)"},
                 {"calls_ended_empty", "status = 'active' OR participant_count = 0"},
                 {"calls_ended_by", "(ended_by IS NULL) = (ended_by_type IS NULL)"}},
      .indexes = {
          {.name = "calls_by_status", .columns = "status, started_at, call_id"},
          {.name = "calls_by_caller_and_status", .columns = "caller_id, status, started_at, call_id"},
          {.name = "calls_by_end", .columns = "ended_at, call_id", .where = "ended_at IS NOT NULL"},
          {.name = "calls_closing", .columns = "closes_at", .where = "closes_at IS NOT NULL"},
          {.name = "calls_not_entered", .columns = "started_at", .where = "status = 'active' AND entered_at IS NULL"}}};
}

// No model: only statements know it. Who may enter a call, in the order given.
TableSchema call_users() {
  return {.name = "call_users",
          .columns = {column("call_id", Type::uuid, true), column("user_id", Type::text, true),
                      column("position", Type::integer, true)},
          .primary_key = "call_id, user_id",
          .foreign_keys = {to_call("call_users"), to_user("call_users", "user_id")},
          .indexes = {{.name = "call_users_by_user", .columns = "user_id, call_id"}}};
}

// No model: written by triggers. Who is listed in a call or has a session in it, but for its caller.
TableSchema call_members() {
  return {.name = "call_members",
          .columns = {column("call_id", Type::uuid, true), column("user_id", Type::text, true),
                      column("status", Type::text, true), column("started_at", Type::timestamp, true)},
          .primary_key = "call_id, user_id",
          .foreign_keys = {to_call("call_members"), to_user("call_members", "user_id")},
          .checks = {{"call_members_status_check", "status IN ('active', 'ended')"}},
          .indexes = {{.name = "call_members_by_user", .columns = "user_id, status, started_at, call_id"}}};
}

TableSchema sessions() {
  return {
      .name = "sessions",
      .columns = columns_of<Session>(),
      .primary_key = "session_id",
      .foreign_keys = {to_call("sessions"), to_user("sessions", "user_id")},
      .checks = {{"sessions_status_check", "status IN ('pending', 'active', 'ended')"},
                 {"sessions_times", "created_at <= left_at AND joined_at <= left_at"},
                 {"sessions_active", "status <> 'active' OR (joined_at IS NOT NULL AND participant_sid IS NOT NULL)"},
                 {"sessions_pending", "status <> 'pending' OR (joined_at IS NULL AND participant_sid IS NULL)"},
                 {"sessions_end",
                  "(status = 'ended') = (left_at IS NOT NULL) AND (status = 'ended') = (end_reason IS NOT NULL)"
                  " AND (status = 'ended') = (end_evidence IS NOT NULL)"}},
      .indexes = {
          {.name = "sessions_by_call", .columns = "call_id, created_at, session_id"},
          {.name = "sessions_by_user", .columns = "user_id, call_id"},
          {.name = "sessions_active_by_user",
           .columns = "user_id, created_at, session_id",
           .where = "status = 'active'"},
          {.name = "sessions_one_pending",
           .columns = "call_id, user_id",
           .unique = true,
           .where = "status = 'pending'"},
          {.name = "sessions_one_active", .columns = "call_id, user_id", .unique = true, .where = "status = 'active'"},
          {.name = "sessions_one_connection",
           .columns = "call_id, participant_sid",
           .unique = true,
           .where = "participant_sid IS NOT NULL"},
          {.name = "sessions_open", .columns = "call_id", .where = "status <> 'ended'"},
          {.name = "sessions_expiring", .columns = "token_expires_at", .where = "status = 'pending'"}}};
}

TableSchema webhook_events() {
  return {.name = "webhook_events",
          .columns = columns_of<WebhookEvent>(),
          .primary_key = "call_id, event_id",
          .foreign_keys = {to_call("webhook_events")}};
}

TableSchema outbox() {
  return {.name = "outbox",
          .columns = columns_of<Intent>({{"attempts", "0"}}),
          .primary_key = "intent_id",
          .foreign_keys = {to_call("outbox")},
          .checks = {{"outbox_kind_check", "kind IN ('delete_room', 'remove_participant')"},
                     {"outbox_participant",
                      "kind = 'delete_room' OR (identity IS NOT NULL AND participant_sid IS NOT NULL)"}},
          .indexes = {
              {.name = "outbox_due", .columns = "due_at"},
              {.name = "outbox_by_call", .columns = "call_id"},
              {.name = "outbox_one_deletion", .columns = "call_id", .unique = true, .where = "kind = 'delete_room'"}}};
}

TableSchema room_creations() {
  return {.name = "room_creations",
          .columns = columns_of<RoomCreation>({{"attempts", "0"}}),
          .primary_key = "call_id",
          .foreign_keys = {to_call("room_creations")},
          .indexes = {{.name = "room_creations_due", .columns = "due_at"}}};
}

TableSchema leases() {
  return {.name = "leases", .columns = columns_of<Lease>(), .primary_key = "name"};
}

TableSchema timeline() {
  return {.name = "timeline",
          .columns = columns_of<TimelineEntry>(),
          .primary_key = "call_id, seq",
          .foreign_keys = {to_call("timeline")},
          .checks = {{"timeline_actor_type_check", "actor_type IN ('user', 'service')"},
                     {"timeline_actor", "(actor IS NULL) = (actor_type IS NULL)"}}};
}

}  // namespace

db::Schema schema() {
  db::Schema all{.tables = {users(), calls(), call_users(), call_members(), sessions(), webhook_events(), outbox(),
                            leases(), room_creations(), timeline()},
                 .functions = trigger_functions()};
  for (auto& table : all.tables) table.triggers = triggers_of(table.name);
  return all;
}

}  // namespace call_service::models
