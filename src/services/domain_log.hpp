#pragma once

#include <string_view>
#include <vector>

#include "database/repositories/call_repository.hpp"
#include "log.hpp"

// What happened to calls and sessions, in the log and in the counters: one event each, whoever was its cause.
namespace call_service::services {

// Why a call or a session changed.
struct Cause {
  std::string_view name;        // api | webhook | timer | reconciler
  log::Origin origin{};         // of the request, if it was one
  std::string_view event_id{};  // of LiveKit's event, if it was one
};

void tell_call_started(const models::Call& call, const Cause& cause);
void tell_call_ended(const models::Call& call, const Cause& cause);
void tell_session_created(const models::Session& session, const Cause& cause);
void tell_token_renewed(const models::Session& session, const Cause& cause);
void tell_session_left(const models::Session& session, const Cause& cause);

// What a written decision changed: sessions that came into being, joined or left, and the end of the call.
void tell_changes(const repositories::CallState& before, const models::Call& call,
                  const std::vector<models::Session>& sessions, const Cause& cause);

}  // namespace call_service::services
