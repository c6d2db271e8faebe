#include "database/repositories/outbox_repository.hpp"

#include "database/repositories/claim.hpp"
#include "database/repositories/timeline_repository.hpp"

namespace call_service::repositories {

namespace {

using db::Type;
using models::Intent;

db::CommandKind one_statement(db::Statement statement) {
  return {.name = statement.name, .sharing = db::CommandKind::Sharing::commit, .statements = {std::move(statement)}};
}

db::CommandKind claim_of(const char* name, std::string_view which) {
  return one_statement({.name = name,
                        .input = claim_columns(),
                        .sql =
                            R"(UPDATE {outbox} AS o SET lease_owner = i.owner, lease_until = i.lease_until FROM input i
         WHERE o.intent_id IN (
           SELECT d.intent_id FROM {outbox} d WHERE )" +
                            std::string(is_claimable) + std::string(which) + R"(
           ORDER BY d.due_at LIMIT (SELECT page FROM input) {skip_locked})
         RETURNING )" + db::returning_list<Intent>("o"),
                        .output = db::column_types<Intent>()});
}

const db::CommandKind& claim_kind(OutboxRepository::Which which) {
  static const db::CommandKind all = claim_of("claim_intents", "");
  static const db::CommandKind untried = claim_of("claim_untried_intents", " AND d.attempts = 0");
  return which == OutboxRepository::Which::all ? all : untried;
}

const db::CommandKind& renew_kind() {
  static const db::CommandKind kind =
      one_statement({.name = "renew_leases",
                     .input = {{"owner", Type::uuid}, {"lease_until", Type::timestamp}, {"intent_id", Type::uuid}},
                     .sql = "UPDATE {outbox} AS o SET lease_until = i.lease_until FROM input i "
                            "WHERE o.intent_id = i.intent_id AND o.lease_owner = i.owner"});
  return kind;
}

const db::CommandKind& give_back_kind() {
  static const db::CommandKind kind =
      one_statement({.name = "give_lease_back",
                     .input = {{"owner", Type::uuid}, {"intent_id", Type::uuid}},
                     .sql = "UPDATE {outbox} AS o SET lease_owner = NULL, lease_until = NULL FROM input i "
                            "WHERE o.intent_id = i.intent_id AND o.lease_owner = i.owner"});
  return kind;
}

const db::CommandKind& release_kind() {
  static const db::CommandKind kind = one_statement({.name = "release_leases",
                                                     .input = {{"owner", Type::uuid}},
                                                     .sql = "UPDATE {outbox} AS o SET lease_owner = NULL, lease_until "
                                                            "= NULL FROM input i WHERE o.lease_owner = i.owner"});
  return kind;
}

const db::CommandKind& complete_kind() {
  static const std::vector<db::Column> input{
      {"call_id", Type::uuid}, {"intent_id", Type::uuid}, {"now", Type::timestamp}};
  static const db::CommandKind kind{
      .name = "complete_intent",
      .statements = {
          // Without it whoever waits for the call's row would go on with the intent as it was before.
          {.name = "lock_call_of_intent",
           .input = input,
           .sql = "SELECT c.call_id FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} {lock:c}",
           .output = {Type::uuid}},
          {.name = "record_room_deletion",
           .input = input,
           .sql = R"(UPDATE {calls} AS c SET room_deletion = 'done', version = c.version + 1
                        FROM input i JOIN {by_key:outbox:o} o.intent_id = i.intent_id {key:o}
                        WHERE c.call_id = o.call_id AND o.kind = 'delete_room')"},
          TimelineRepository::room_deleted(),
          {.name = "remove_intent",
           .input = input,
           .sql = "DELETE FROM {outbox} WHERE intent_id IN (SELECT intent_id FROM input)"}}};
  return kind;
}

const db::CommandKind& postpone_kind() {
  static const db::CommandKind kind = one_statement(
      {.name = "postpone_intent",
       .input = {{"intent_id", Type::uuid}, {"due_at", Type::timestamp}},
       .sql =
           R"(UPDATE {outbox} AS o SET due_at = i.due_at, attempts = o.attempts + 1, lease_owner = NULL, lease_until = NULL
         FROM input i WHERE o.intent_id = i.intent_id)"});
  return kind;
}

}  // namespace

Task<std::vector<Intent>> OutboxRepository::claim(Uuid owner, Timestamp now, Timestamp lease_until, int limit,
                                                  Which which) {
  std::vector<db::Rows> inputs{{claim_row(owner, now, lease_until, limit)}};
  const auto result = co_await run(claim_kind(which), owner, std::move(inputs));
  std::vector<Intent> intents;
  for (const auto& row : result.rows[0]) intents.push_back(db::from_row<Intent>(row));
  co_return intents;
}

Task<void> OutboxRepository::renew(Uuid owner, std::vector<Uuid> intent_ids, Timestamp lease_until) {
  db::Rows rows;
  for (const Uuid& id : intent_ids) rows.push_back({owner, lease_until, id});
  std::vector<db::Rows> inputs{std::move(rows)};
  co_await run(renew_kind(), owner, std::move(inputs));
}

Task<void> OutboxRepository::give_back(const Intent& intent) {
  std::vector<db::Rows> inputs{{{*intent.lease_owner, intent.intent_id}}};
  co_await run(give_back_kind(), intent.call_id, std::move(inputs));
}

Task<void> OutboxRepository::release(Uuid owner) {
  std::vector<db::Rows> inputs{{{owner}}};
  co_await run(release_kind(), owner, std::move(inputs));
}

Task<void> OutboxRepository::complete(const Intent& intent, Timestamp now) {
  const db::Rows input{{intent.call_id, intent.intent_id, now}};
  std::vector<db::Rows> inputs(complete_kind().statements.size(), input);
  co_await run(complete_kind(), intent.call_id, std::move(inputs));
}

Task<void> OutboxRepository::postpone(const Intent& intent, Timestamp due_at) {
  std::vector<db::Rows> inputs{{{intent.intent_id, due_at}}};
  co_await run(postpone_kind(), intent.call_id, std::move(inputs));
}

}  // namespace call_service::repositories
