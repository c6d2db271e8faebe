#include "database/models/triggers.hpp"

namespace call_service::models {

namespace {

struct Declared {
  std::string_view table;
  const char* name;
  const char* postgresql;
  const char* sqlite;
};

constexpr Declared triggers[] = {
    {"calls", "calls_ended_once",
     R"(CREATE TRIGGER calls_ended_once BEFORE UPDATE ON {calls} FOR EACH ROW
  WHEN (OLD.ended_at IS NOT NULL AND (NEW.ended_at IS DISTINCT FROM OLD.ended_at OR NEW.status <> OLD.status))
  EXECUTE FUNCTION {keep_ended_calls}())",
     R"(CREATE TRIGGER calls_ended_once BEFORE UPDATE OF status, ended_at ON {calls}
  WHEN OLD.ended_at IS NOT NULL AND (NEW.ended_at IS NOT OLD.ended_at OR NEW.status <> OLD.status)
BEGIN
  SELECT RAISE(ABORT, 'an ended call stays so');
END)"},
    {"call_users", "call_users_renamed",
     R"(CREATE TRIGGER call_users_renamed AFTER UPDATE OF user_id ON {call_users} FOR EACH ROW
  EXECUTE FUNCTION {copy_user_ids}())",
     R"(CREATE TRIGGER call_users_renamed AFTER UPDATE OF user_id ON {call_users}
BEGIN
  UPDATE {calls} SET user_ids = (
    SELECT json_group_array(u.user_id) FROM (
      SELECT user_id FROM {call_users} WHERE call_id = NEW.call_id ORDER BY position
    ) u
  ) WHERE call_id = NEW.call_id;
END)"},
    {"users", "users_renamed",
     R"(CREATE TRIGGER users_renamed AFTER UPDATE OF user_id ON {users} FOR EACH ROW
  WHEN (OLD.user_id <> NEW.user_id) EXECUTE FUNCTION {rename_actor}())",
     R"(CREATE TRIGGER users_renamed AFTER UPDATE OF user_id ON {users} WHEN OLD.user_id <> NEW.user_id
BEGIN
  UPDATE {timeline} SET actor = NEW.user_id
  WHERE actor_type = 'user' AND actor = OLD.user_id AND call_id IN (
    SELECT call_id FROM {calls} WHERE caller_id IN (OLD.user_id, NEW.user_id)
    UNION SELECT call_id FROM {sessions} WHERE user_id IN (OLD.user_id, NEW.user_id)
    UNION SELECT call_id FROM {calls} WHERE ended_by_type = 'user' AND ended_by = OLD.user_id);
  UPDATE {calls} SET ended_by = NEW.user_id WHERE ended_by_type = 'user' AND ended_by = OLD.user_id;
END)"},
    {"call_users", "call_users_are_members",
     R"(CREATE TRIGGER call_users_are_members AFTER INSERT ON {call_users} REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION {add_call_members}())",
     R"(CREATE TRIGGER call_users_are_members AFTER INSERT ON {call_users}
BEGIN
  INSERT INTO {call_members} (call_id, user_id, status, started_at)
    SELECT c.call_id, NEW.user_id, c.status, c.started_at FROM {calls} c
    WHERE c.call_id = NEW.call_id AND c.caller_id <> NEW.user_id AND NOT EXISTS (
      SELECT 1 FROM {call_members} m WHERE m.call_id = NEW.call_id AND m.user_id = NEW.user_id);
END)"},
    {"sessions", "sessions_make_members",
     R"(CREATE TRIGGER sessions_make_members AFTER INSERT ON {sessions} REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION {add_call_members}())",
     R"(CREATE TRIGGER sessions_make_members AFTER INSERT ON {sessions}
BEGIN
  INSERT INTO {call_members} (call_id, user_id, status, started_at)
    SELECT c.call_id, NEW.user_id, c.status, c.started_at FROM {calls} c
    WHERE c.call_id = NEW.call_id AND c.caller_id <> NEW.user_id AND NOT EXISTS (
      SELECT 1 FROM {call_members} m WHERE m.call_id = NEW.call_id AND m.user_id = NEW.user_id);
END)"},
    {"calls", "calls_end_for_members",
     R"(CREATE TRIGGER calls_end_for_members AFTER UPDATE ON {calls} REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION {end_call_members}())",
     R"(CREATE TRIGGER calls_end_for_members AFTER UPDATE OF status ON {calls} WHEN OLD.status <> NEW.status
BEGIN
  UPDATE {call_members} SET status = NEW.status WHERE call_id = NEW.call_id;
END)"},
};

}  // namespace

std::vector<db::TriggerSchema> triggers_of(std::string_view table) {
  std::vector<db::TriggerSchema> found;
  for (const auto& trigger : triggers) {
    if (trigger.table == table) found.push_back({trigger.name, {trigger.postgresql, trigger.sqlite}});
  }
  return found;
}

std::vector<db::FunctionSchema> trigger_functions() {
  return {
      {"keep_ended_calls", R"(
BEGIN
  RAISE EXCEPTION 'call % ended at %: it stays so', OLD.call_id, OLD.ended_at USING ERRCODE = 'check_violation';
END )"},
      {"copy_user_ids", R"(
BEGIN
  UPDATE {calls} SET user_ids = (
    SELECT json_agg(u.user_id ORDER BY u.position) FROM {call_users} u WHERE u.call_id = NEW.call_id
  ) WHERE call_id = NEW.call_id;
  RETURN NULL;
END )"},
      {"rename_actor", R"(
BEGIN
  UPDATE {timeline} SET actor = NEW.user_id
  WHERE actor_type = 'user' AND actor = OLD.user_id AND call_id IN (
    SELECT call_id FROM {calls} WHERE caller_id IN (OLD.user_id, NEW.user_id)
    UNION SELECT call_id FROM {sessions} WHERE user_id IN (OLD.user_id, NEW.user_id)
    UNION SELECT call_id FROM {calls} WHERE ended_by_type = 'user' AND ended_by = OLD.user_id);
  UPDATE {calls} SET ended_by = NEW.user_id WHERE ended_by_type = 'user' AND ended_by = OLD.user_id;
  RETURN NULL;
END )"},
      {"add_call_members", R"(
BEGIN
  INSERT INTO {call_members} (call_id, user_id, status, started_at)
    SELECT DISTINCT a.call_id, a.user_id, c.status, c.started_at
    FROM added a JOIN LATERAL (SELECT c.* FROM {calls} c WHERE c.call_id = a.call_id OFFSET 0) c ON true
    WHERE a.user_id <> c.caller_id
    ON CONFLICT (call_id, user_id) DO NOTHING;
  RETURN NULL;
END )"},
      {"end_call_members", R"(
BEGIN
  UPDATE {call_members} t SET status = 'ended'
    FROM changed c JOIN LATERAL (SELECT m.* FROM {call_members} m WHERE m.call_id = c.call_id OFFSET 0) m ON true
    WHERE c.status = 'ended' AND m.status <> 'ended' AND t.call_id = m.call_id AND t.user_id = m.user_id;
  RETURN NULL;
END )"},
  };
}

}  // namespace call_service::models
