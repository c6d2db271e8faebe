#include "api/present.hpp"

#include <utility>

#include "schemas/queries.hpp"

namespace call_service::api {

namespace {

void fill(schemas::CallResponse& response, models::Call call) {
  response.call_id = call.call_id;
  response.caller_id = std::move(call.caller_id);
  response.room_name = call.room_name();
  response.status = name_of(call.status);
  response.started_at = call.started_at;
  response.ended_at = call.ended_at;
  response.end_reason = std::move(call.end_reason);
  response.ended_by = std::move(call.ended_by);
  response.ended_by_type = std::move(call.ended_by_type);
  response.user_ids = std::move(call.user_ids);
  response.max_participants = call.max_participants;
  response.metadata = std::move(call.metadata);
  response.participant_count = call.participant_count;
  response.room_deletion = std::move(call.room_deletion);
}

schemas::Check check(const std::optional<std::string>& fault) {
  return {.status = fault ? "failed" : "ok", .detail = fault};
}

void fill(auto& response, services::Ticket ticket) {
  response.livekit_token = std::move(ticket.token);
  response.livekit_token_expires_at = ticket.expires_at;
  response.livekit_url = std::move(ticket.url);
}

schemas::JwksCheck jwks_check(const services::JwksService::Snapshot& jwks) {
  const bool is_pending = !jwks.fetched_at && !jwks.last_error;
  return {.status = jwks.last_error ? "failing"
                    : is_pending    ? "pending"
                                    : "ok",
          .keys = static_cast<std::int64_t>(jwks.keys),
          .fetched_at = jwks.fetched_at,
          .last_error = jwks.last_error};
}

}  // namespace

schemas::CallResponse call_response(models::Call call) {
  schemas::CallResponse response;
  fill(response, std::move(call));
  return response;
}

schemas::SessionResponse session_response(const models::Session& session) {
  return {.session_id = session.session_id,
          .call_id = session.call_id,
          .user_id = session.user_id,
          .name = session.name,
          .status = std::string(name_of(session.status)),
          .created_at = session.created_at,
          .joined_at = session.joined_at,
          .left_at = session.left_at,
          .disconnect_reason = session.disconnect_reason,
          .end_reason = session.end_reason};
}

schemas::StartedCallResponse started_call_response(services::Admission admission) {
  schemas::StartedCallResponse response;
  fill(response, std::move(admission.call));
  response.session_id = admission.session.session_id;
  fill(response, std::move(admission.ticket));
  response.room_ready = admission.room_ready;
  return response;
}

schemas::JoinedCallResponse joined_call_response(services::Admission admission) {
  schemas::JoinedCallResponse response;
  response.call_id = admission.call.call_id;
  response.session_id = admission.session.session_id;
  response.user_id = std::move(admission.session.user_id);
  response.room_name = admission.call.room_name();
  fill(response, std::move(admission.ticket));
  response.room_ready = admission.room_ready;
  return response;
}

schemas::CallDetailsResponse call_details_response(const services::CallDetails& details) {
  schemas::CallDetailsResponse response;
  fill(response, details.call);
  for (const auto& session : details.sessions) response.sessions.push_back(session_response(session));
  if (details.has_more_sessions) {
    const auto list = list_id(schemas::ListSessionsQuery{}, details.call.call_id);
    response.sessions_next_cursor = encode_cursor(list, position_of(details.sessions.back()));
  }
  return response;
}

schemas::UserResponse user_response(const services::UserDetails& details) {
  schemas::UserResponse response{.user_id = details.user.user_id, .created_at = details.user.created_at};
  for (const auto& session : details.active_sessions) response.active_sessions.push_back(session_response(session));
  return response;
}

Position position_of(const models::Call& call) {
  return {.number = call.started_at.time_since_epoch().count(), .id = call.call_id};
}

Position position_of(const models::Session& session) {
  return {.number = session.created_at.time_since_epoch().count(), .id = session.session_id};
}

schemas::TimelineEntryResponse timeline_entry_response(const repositories::TimelineItem& item) {
  const auto& entry = item.entry;
  return {.seq = entry.seq,
          .at = entry.at,
          .occurred_at = entry.occurred_at.value_or(entry.at),
          .type = entry.type,
          .cause = entry.cause,
          .actor = entry.actor,
          .call_id = entry.call_id,
          .session_id = entry.session_id,
          .user_id = item.user_id,
          .event_id = entry.event_id,
          .detail = entry.detail};
}

schemas::ReadyResponse ready_response(const services::Readiness& readiness) {
  schemas::ReadyResponse response;
  response.status = readiness.ready() ? "ready" : "not_ready";
  response.checks.database = check(readiness.database_fault);
  response.checks.migrations = check(readiness.database_fault ? readiness.database_fault : readiness.schema_fault);
  if (!readiness.livekit_reachable) response.checks.livekit.detail = "LiveKit's API does not answer";
  response.checks.livekit.status = readiness.livekit_reachable ? "ok" : "failed";
  response.checks.webhooks.last_accepted_at = readiness.webhooks.last_accepted_at;
  response.checks.webhooks.last_rejected_at = readiness.webhooks.last_rejected_at;
  if (readiness.jwks) response.checks.jwks = jwks_check(*readiness.jwks);
  if (readiness.webhooks.last_rejection) {
    response.checks.webhooks.last_rejection = name_of(*readiness.webhooks.last_rejection);
  }
  return response;
}

}  // namespace call_service::api
