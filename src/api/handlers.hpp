#pragma once

#include "api/route.hpp"
#include "schemas/requests.hpp"
#include "schemas/responses.hpp"

// The handlers of all routes; each is a few lines in the file of its subject.
namespace call_service::api {

template <typename T>
using Answer = Task<Result<Reply<T>>>;

// calls.cpp
Answer<schemas::StartedCallResponse> start_call(Services&, services::Caller, Body<schemas::StartCallRequest>);
Answer<schemas::JoinedCallResponse> join_call(Services&, services::Caller, CallId, UserId,
                                              Body<schemas::JoinCallRequest>);
Answer<schemas::SessionResponse> leave_call(Services&, services::Caller, CallId, UserId,
                                            Body<schemas::LeaveCallRequest>);
Answer<schemas::CallResponse> end_call(Services&, services::Caller, CallId, Body<schemas::EndCallRequest>);
Answer<schemas::CallDetailsResponse> get_call(Services&, services::Caller, CallId);

// webhooks.cpp
Answer<schemas::WebhookResponse> receive_livekit_webhook(Services&, http::Request*);

// health.cpp
Answer<schemas::HealthResponse> get_health(Services&);
Answer<schemas::ReadyResponse> get_readiness(Services&);

}  // namespace call_service::api
