#pragma once

#include "api/route.hpp"
#include "schemas/queries.hpp"
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

// lists.cpp
Answer<schemas::Page<schemas::CallResponse>> list_calls(Services&, services::Caller, Query<schemas::ListCallsQuery>);
Answer<schemas::Page<schemas::SessionResponse>> list_sessions(Services&, services::Caller, CallId,
                                                              Query<schemas::ListSessionsQuery>);
Answer<schemas::UserResponse> get_user(Services&, services::Caller, UserId);

// timeline.cpp
Answer<schemas::Page<schemas::TimelineEntryResponse>> list_timeline(Services&, services::Caller, CallId,
                                                                    Query<schemas::TimelineQuery>);

// webhooks.cpp
Answer<schemas::WebhookResponse> receive_livekit_webhook(Services&, http::Request*, log::Origin);

// health.cpp
Answer<schemas::HealthResponse> get_health(Services&);
Answer<schemas::ReadyResponse> get_readiness(Services&);
Answer<Content> get_metrics(Services&);

// docs.cpp
Answer<Content> get_openapi(Services&, http::Request*);
Answer<Content> get_docs(Services&, http::Request*);
Answer<Content> get_docs_file(Services&, http::Request*, FileName);

}  // namespace call_service::api
