#include "services/domain_log.hpp"

#include <algorithm>

#include "metrics.hpp"

namespace call_service::services {

namespace {

using models::Session;
using models::SessionStatus;

std::string_view text_of(const std::optional<std::string>& text) {
  return text ? std::string_view(*text) : std::string_view();
}

void tell_session(std::string_view event, const Session& session, const Cause& cause) {
  log::info(event, cause.origin,
            {{"call_id", session.call_id},
             {"session_id", session.session_id},
             {"user_id", session.user_id},
             {"cause", cause.name},
             {"event_id", cause.event_id},
             {"participant_sid", text_of(session.participant_sid)},
             {"end_reason", text_of(session.end_reason)},
             {"disconnect_reason", text_of(session.disconnect_reason)}});
}

}  // namespace

void tell_call_started(const models::Call& call, const Cause& cause) {
  metrics::series().calls_started.add();
  log::info("call_started", cause.origin,
            {{"call_id", call.call_id}, {"user_id", call.caller_id}, {"cause", cause.name}});
}

void tell_call_ended(const models::Call& call, const Cause& cause) {
  metrics::series().calls_ended.add({text_of(call.end_reason)});
  const std::chrono::duration<double> lasted = call.ended_at.value_or(call.started_at) - call.started_at;
  log::info("call_ended", cause.origin,
            {{"call_id", call.call_id},
             {"cause", cause.name},
             {"event_id", cause.event_id},
             {"end_reason", text_of(call.end_reason)},
             {"ended_by", text_of(call.ended_by)},
             {"ended_by_type", text_of(call.ended_by_type)},
             {"lasted_seconds", lasted.count()}});
}

void tell_session_created(const Session& session, const Cause& cause) {
  tell_session("session_created", session, cause);
}

void tell_token_renewed(const Session& session, const Cause& cause) {
  tell_session("session_token_renewed", session, cause);
}

void tell_session_left(const Session& session, const Cause& cause) {
  tell_session("session_left", session, cause);
}

void tell_changes(const repositories::CallState& before, const models::Call& call, const std::vector<Session>& sessions,
                  const Cause& cause) {
  for (const Session& session : sessions) {
    const auto former = std::ranges::find(before.sessions, session.session_id, &Session::session_id);
    const bool is_new = former == before.sessions.end();
    if (is_new) tell_session("session_created", session, cause);
    if (session.joined_at && (is_new || !former->joined_at)) tell_session("session_joined", session, cause);
    if (!session.is_open() && (is_new || former->is_open())) tell_session("session_left", session, cause);
  }
  if (before.call.is_active() && !call.is_active()) tell_call_ended(call, cause);
}

}  // namespace call_service::services
