#include "services/call_changes.hpp"

#include <tuple>

#include "base/ranges.hpp"
#include "database/errors.hpp"

namespace call_service::services {

namespace {

constexpr Seconds patience{5};

models::Intent new_intent(models::IntentKind kind, Uuid call_id, Timestamp now) {
  return {.intent_id = make_uuid_v7(now), .call_id = call_id, .kind = kind, .created_at = now, .due_at = now};
}

bool has_same_end(const models::Call& before, const models::Call& after) {
  const auto end_of = [](const models::Call& call) { return std::tie(call.status, call.ended_at, call.end_reason); };
  return end_of(before) == end_of(after);
}

}  // namespace

repositories::Change change_of(const repositories::CallState& state, const rules::Changes& decided,
                               const rules::Told& told, std::optional<Timestamp> deletion_due) {
  const Uuid call_id = decided.call.call_id;
  repositories::Change change{.timeline = rules::timeline_of(state, decided, told), .now = told.now};
  if (decided.delete_room) {
    auto& intent = change.intents.emplace_back(new_intent(models::IntentKind::delete_room, call_id, told.now));
    intent.due_at = deletion_due.value_or(told.now);
  }
  if (decided.remove) {
    auto& intent = change.intents.emplace_back(new_intent(models::IntentKind::remove_participant, call_id, told.now));
    intent.identity = decided.remove->user_id;
    intent.participant_sid = decided.remove->participant_sid;
  }
  change.writes_end = !has_same_end(state.call, decided.call);
  change.call = decided.call;
  for (const auto& session : decided.sessions) {
    const bool is_known = contains(state.sessions, session.session_id, &models::Session::session_id);
    (is_known ? change.sessions : change.new_sessions).push_back(session);
  }
  return change;
}

CallChanges::CallChanges(repositories::CallRepository& calls, CallTurns& turns, const Clock& clock,
                         std::function<void()> wake_outbox)
    : calls_(calls), turns_(turns), clock_(clock), wake_outbox_(std::move(wake_outbox)) {}

Task<std::optional<rules::Changes>> CallChanges::decide(repositories::StateQuery query, std::string_view cause,
                                                        Decide decide) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto turn = co_await turns_.take(query.call_id, deadline);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto state = co_await calls_.load_state(query);
    if (!state) co_return std::nullopt;
    auto changes = decide(*state);
    if (!changes) co_return std::nullopt;
    auto change = change_of(*state, *changes, {.cause = cause, .now = clock_.now()});
    const bool needs_livekit = !change.intents.empty();
    if (!co_await calls_.apply(std::move(change))) continue;
    if (needs_livekit) wake_outbox_();
    tell_changes(*state, changes->call, changes->sessions, {.name = cause});
    co_return changes;
  }
  throw db::Unavailable("the call changed too often while it was compared with LiveKit");
}

}  // namespace call_service::services
