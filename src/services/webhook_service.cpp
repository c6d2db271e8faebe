#include "services/webhook_service.hpp"

#include "database/errors.hpp"
#include "metrics.hpp"
#include "schemas/text_rules.hpp"
#include "services/call_changes.hpp"
#include "services/call_rules.hpp"
#include "services/call_timeline.hpp"
#include "services/domain_log.hpp"
#include "services/reconcile_rules.hpp"
#include "services/tombstone.hpp"

namespace call_service::services {

namespace {

using livekit::EventType;
using livekit::WebhookEvent;

// LiveKit waits for the answer; what is not done by then is better sent again.
constexpr Seconds patience{5};

// Why an event is none of ours, or "".
std::string_view why_ignored(const WebhookEvent& event) {
  if (event.type == EventType::other || !event.room) return "type";
  if (!models::call_id_of_room(event.room->name)) return "room";
  if (!event.participant) return "";
  if (!rules::is_person(event.participant->kind)) return "participant_kind";
  return schemas::is_user_id(event.participant->identity) ? "" : "identity";
}

void tell_result(std::string_view name, const WebhookEvent& event, const log::Origin& origin, const Uuid& call_id,
                 std::string_view reason = {}) {
  log::info(name, origin,
            {{"event_id", event.id},
             {"type", event.type_name},
             {"call_id", call_id},
             {"user_id", event.participant ? std::string_view(event.participant->identity) : std::string_view()},
             {"reason", reason},
             {"cause", "webhook"}});
}

// LiveKit sends much that no call is about, such as tracks.
void tell_ignored(const WebhookEvent& event, const log::Origin& origin, std::string_view reason) {
  const auto level = reason == "type" ? log::Level::debug : log::Level::info;
  log::write(level, "webhook_ignored", origin,
             {{"event_id", event.id}, {"type", event.type_name}, {"reason", reason}, {"cause", "webhook"}});
}

void measure_lag(const WebhookEvent& event, Timestamp now) {
  if (event.created_at == Timestamp{}) return;
  const std::chrono::duration<double> lag = now - std::min(now, event.created_at);
  metrics::series().webhook_lag.observe(lag.count());
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

// There are many of them: short names keep a row below 150 bytes.
std::string_view short_name(std::string_view type) {
  constexpr std::string_view common = "participant_";
  return type.starts_with(common) ? type.substr(common.size()) : type;
}

models::WebhookEvent inbox_row(Uuid call_id, const WebhookEvent& event, Timestamp now) {
  models::WebhookEvent row{.call_id = call_id, .event_id = event.id, .type = std::string(short_name(event.type_name))};
  row.room_sid = event.room->sid;
  if (event.participant) {
    row.participant_sid = event.participant->sid;
    if (event.type != EventType::participant_joined) row.reason = event.participant->disconnect_reason;
  }
  row.occurred_at = event.created_at;
  row.received_at = now;
  return row;
}

rules::Told told_by(const WebhookEvent& event, Timestamp now) {
  rules::Told told{.cause = "webhook", .event_id = event.id, .now = now};
  if (event.type == EventType::room_finished) told.room_finished = room_fact(event, now);
  return told;
}

// The latest moment at which the event shows that somebody was in the room. `created_at` has whole seconds.
Timestamp sign_of_life(const WebhookEvent& event, Timestamp now) {
  if (event.participant && event.participant->joined_at) return *event.participant->joined_at;
  return event.created_at == Timestamp{} ? now : event.created_at + Seconds(1);
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

WebhookService::WebhookService(repositories::CallRepository& calls, CallTurns& turns, const Clock& clock,
                               std::function<void()> wake_outbox, std::function<void(Uuid)> room_lost)
    : calls_(calls),
      turns_(turns),
      clock_(clock),
      wake_outbox_(std::move(wake_outbox)),
      room_lost_(std::move(room_lost)) {}

Task<WebhookResult> WebhookService::apply(WebhookEvent event, log::Origin origin) {
  const std::string_view type = name_of(event.type);
  measure_lag(event, clock_.now());
  try {
    const auto result = co_await apply_if_ours(std::move(event), origin);
    metrics::series().webhook_events.add({type, name_of(result)});
    co_return result;
  } catch (...) {
    metrics::series().webhook_events.add({type, "failed"});
    throw;
  }
}

WebhookResult WebhookService::ignore_malformed(std::string_view why, const log::Origin& origin) {
  metrics::series().webhook_events.add({"other", "malformed"});
  log::write(log::Level::warning, "webhook_malformed", origin, {{"reason", why}, {"cause", "webhook"}});
  return WebhookResult::ignored;
}

Task<WebhookResult> WebhookService::apply_if_ours(WebhookEvent event, log::Origin origin) {
  const std::string_view reason = why_ignored(event);
  if (!reason.empty()) {
    tell_ignored(event, origin, reason);
    co_return WebhookResult::ignored;
  }
  const Uuid call_id = *models::call_id_of_room(event.room->name);
  co_return co_await apply_to_call(call_id, std::move(event), origin);
}

Task<WebhookResult> WebhookService::apply_to_call(Uuid call_id, WebhookEvent event, log::Origin origin) {
  const Timestamp now = clock_.now();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto turn = co_await turns_.take(call_id, deadline);
  // A lost guard means that the API or another replica changed the call: then it is read and decided anew.
  while (std::chrono::steady_clock::now() < deadline) {
    const auto state = co_await calls_.load_state(query_for(call_id, event));
    if (!state) {
      tell_result("webhook_ignored", event, origin, call_id, "unknown_call");
      co_return WebhookResult::ignored;
    }
    if (state->event_applied) {
      tell_result("webhook_duplicate", event, origin, call_id);
      co_return WebhookResult::duplicate;
    }

    auto decided = decide(*state, event, now);
    const Timestamp deletion_due = co_await pace_deletion(*state, event, decided, now);
    auto change = change_of(*state, decided, told_by(event, now), deletion_due);
    change.event = inbox_row(call_id, event, now);
    const bool needs_livekit = !change.intents.empty();
    if (!co_await calls_.apply(std::move(change))) continue;
    if (needs_livekit) wake_outbox_();
    if (decided.call.closes_at && !state->call.closes_at) room_lost_(call_id);
    tell_result("webhook_applied", event, origin, call_id);
    tell_changes(*state, decided.call, decided.sessions, {.name = "webhook", .origin = origin, .event_id = event.id});
    co_return WebhookResult::applied;
  }
  throw db::Unavailable("the call changed too often while an event was applied");
}

// Takes the deletion of a room back that one asked for before covers already; else tells when it is due.
Task<Timestamp> WebhookService::pace_deletion(const repositories::CallState& state, const WebhookEvent& event,
                                              rules::Changes& decided, Timestamp now) {
  if (!decided.delete_room) co_return now;
  const auto past = co_await calls_.room_deletions(state.call.call_id, now - deletions_count_for);
  const SignOfLife sign{.is_known_room = state.call.room_sid == event.room->sid,
                        .is_pending = state.call.room_deletion == "pending",
                        .latest = sign_of_life(event, now)};
  const auto due = next_deletion(past, sign, now);
  if (due) co_return *due;
  decided.delete_room = false;
  decided.call.room_deletion = state.call.room_deletion;
  co_return now;
}

}  // namespace call_service::services
