#include "services/webhook_service.hpp"

#include "database/errors.hpp"
#include "log.hpp"
#include "schemas/text_rules.hpp"
#include "services/call_rules.hpp"

namespace call_service::services {

namespace {

using livekit::EventType;
using livekit::WebhookEvent;

// LiveKit waits for the answer; what is not done by then is better sent again.
constexpr Seconds patience{5};

bool is_person(const std::string& kind) {
  return kind != "INGRESS" && kind != "EGRESS" && kind != "SIP" && kind != "AGENT";
}

bool concerns_us(const WebhookEvent& event) {
  if (event.type == EventType::other || !event.room) return false;
  if (!event.participant) return true;
  return is_person(event.participant->kind) && schemas::is_user_id(event.participant->identity);
}

rules::RoomFact room_fact(const WebhookEvent& event, Timestamp now) {
  return {.type = event.type,
          .room_sid = event.room->sid,
          .room_created_at = event.room->created_at,
          // Left out by the sender, it is no time at all.
          .occurred_at = event.created_at == Timestamp{} ? now : event.created_at,
          .arrived_at = now};
}

rules::ParticipantFact participant_fact(const WebhookEvent& event, Timestamp now) {
  rules::ParticipantFact fact{room_fact(event, now)};
  fact.sid = event.participant->sid;
  fact.identity = event.participant->identity;
  fact.joined_at = event.participant->joined_at;
  if (event.participant->session_id) fact.session_id = Uuid::parse(*event.participant->session_id);
  fact.disconnect_reason = event.participant->disconnect_reason;
  return fact;
}

repositories::StateQuery query_for(Uuid call_id, const WebhookEvent& event) {
  repositories::StateQuery query{.call_id = call_id, .event_id = event.id, .room_sid = event.room->sid};
  if (event.participant) {
    query.identity = event.participant->identity;
    query.participant_sid = event.participant->sid;
  } else {
    query.all_open = true;
  }
  return query;
}

models::WebhookEvent inbox_row(Uuid call_id, const WebhookEvent& event, Timestamp now) {
  models::WebhookEvent row{.call_id = call_id, .event_id = event.id, .type = event.type_name};
  row.room_sid = event.room->sid;
  if (event.participant) {
    row.participant_sid = event.participant->sid;
    if (event.type != EventType::participant_joined) row.reason = event.participant->disconnect_reason;
  }
  row.occurred_at = event.created_at;
  row.received_at = now;
  return row;
}

models::Intent new_intent(models::IntentKind kind, Uuid call_id, Timestamp now) {
  return {.intent_id = make_uuid_v7(now), .call_id = call_id, .kind = kind, .created_at = now, .due_at = now};
}

repositories::Change change_of(rules::Changes decided, const WebhookEvent& event, Timestamp now) {
  const Uuid call_id = decided.call.call_id;
  repositories::Change change{.event = inbox_row(call_id, event, now), .now = now};
  if (decided.delete_room) change.intents.push_back(new_intent(models::IntentKind::delete_room, call_id, now));
  if (decided.remove) {
    auto& intent = change.intents.emplace_back(new_intent(models::IntentKind::remove_participant, call_id, now));
    intent.identity = decided.remove->user_id;
    intent.participant_sid = decided.remove->participant_sid;
  }
  change.call = std::move(decided.call);
  change.sessions = std::move(decided.sessions);
  return change;
}

rules::Changes decide(const repositories::CallState& state, const WebhookEvent& event, Timestamp now) {
  if (!event.participant) return rules::decide(state, room_fact(event, now));
  return rules::decide(state, participant_fact(event, now), make_uuid_v7(now));
}

}  // namespace

std::string_view name_of(WebhookResult result) {
  switch (result) {
    case WebhookResult::applied:
      return "applied";
    case WebhookResult::duplicate:
      return "duplicate";
    case WebhookResult::ignored:
      return "ignored";
  }
  std::unreachable();
}

WebhookService::WebhookService(repositories::CallRepository& calls, const Clock& clock,
                               std::function<void()> wake_outbox)
    : calls_(calls), clock_(clock), wake_outbox_(std::move(wake_outbox)) {}

Task<WebhookResult> WebhookService::apply(WebhookEvent event) {
  if (!concerns_us(event)) co_return WebhookResult::ignored;
  const auto call_id = models::call_id_of_room(event.room->name);
  if (!call_id) co_return WebhookResult::ignored;
  co_return co_await apply_to_call(*call_id, std::move(event));
}

Task<WebhookResult> WebhookService::apply_to_call(Uuid call_id, WebhookEvent event) {
  const Timestamp now = clock_.now();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto turn = co_await turns_.take(call_id, deadline);
  // A lost guard means that the API or another replica changed the call: then it is read and decided anew.
  while (std::chrono::steady_clock::now() < deadline) {
    const auto state = co_await calls_.load_state(query_for(call_id, event));
    if (!state) {
      log::info("room_of_unknown_call", {{"call_id", call_id.to_string()}, {"event_id", event.id}});
      co_return WebhookResult::ignored;
    }
    if (state->event_applied) co_return WebhookResult::duplicate;

    repositories::Change change = change_of(decide(*state, event, now), event, now);
    const bool needs_livekit = !change.intents.empty();
    const bool ended_now = state->call.is_active() && !change.call.is_active();
    if (!co_await calls_.apply(std::move(change))) continue;
    if (needs_livekit) wake_outbox_();
    log::info("webhook_applied", {{"call_id", call_id.to_string()},
                                  {"event_id", event.id},
                                  {"type", event.type_name},
                                  {"call_ended", ended_now},
                                  {"cause", "webhook"}});
    co_return WebhookResult::applied;
  }
  throw db::Unavailable("the call changed too often while an event was applied");
}

}  // namespace call_service::services
