#include "api/present.hpp"

#include "jose/base64.hpp"

namespace call_service::api {

namespace {

// Where the list goes on: after this session, in the order (created_at, session_id).
std::string session_cursor(const models::Session& last) {
  return jose::encode_base64url(format_timestamp(last.created_at) + "|" + last.session_id.to_string());
}

void fill(schemas::CallResponse& response, const models::Call& call) {
  response.call_id = call.call_id;
  response.caller_id = call.caller_id;
  response.room_name = call.room_name();
  response.status = name_of(call.status);
  response.started_at = call.started_at;
  response.ended_at = call.ended_at;
  response.end_reason = call.end_reason;
  response.ended_by = call.ended_by;
  response.ended_by_type = call.ended_by_type;
  response.user_ids = call.user_ids;
  response.max_participants = call.max_participants;
  response.metadata = call.metadata;
  response.participant_count = call.participant_count;
  response.room_deletion = call.room_deletion;
}

schemas::Check check(const std::optional<std::string>& fault) {
  return {.status = fault ? "failed" : "ok", .detail = fault};
}

void fill(auto& response, const services::Ticket& ticket) {
  response.livekit_token = ticket.token;
  response.livekit_token_expires_at = ticket.expires_at;
  response.livekit_url = ticket.url;
}

}  // namespace

schemas::CallResponse call_response(const models::Call& call) {
  schemas::CallResponse response;
  fill(response, call);
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

schemas::StartedCallResponse started_call_response(const services::Admission& admission) {
  schemas::StartedCallResponse response;
  fill(response, admission.call);
  response.session_id = admission.session.session_id;
  fill(response, admission.ticket);
  return response;
}

schemas::JoinedCallResponse joined_call_response(const services::Admission& admission) {
  schemas::JoinedCallResponse response;
  response.call_id = admission.call.call_id;
  response.session_id = admission.session.session_id;
  response.user_id = admission.session.user_id;
  response.room_name = admission.call.room_name();
  fill(response, admission.ticket);
  return response;
}

schemas::CallDetailsResponse call_details_response(const services::CallDetails& details) {
  schemas::CallDetailsResponse response;
  fill(response, details.call);
  for (const auto& session : details.sessions) response.sessions.push_back(session_response(session));
  if (details.has_more_sessions) response.sessions_next_cursor = session_cursor(details.sessions.back());
  return response;
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
  if (readiness.webhooks.last_rejection) {
    response.checks.webhooks.last_rejection = name_of(*readiness.webhooks.last_rejection);
  }
  return response;
}

}  // namespace call_service::api
