#pragma once

#include "api/cursor.hpp"
#include "schemas/responses.hpp"
#include "services/call_service.hpp"
#include "services/list_service.hpp"
#include "services/readiness_service.hpp"
#include "services/timeline_service.hpp"

// How the bodies of responses are made from what services answer.
namespace call_service::api {

schemas::CallResponse call_response(models::Call call);
schemas::SessionResponse session_response(const models::Session& session);
schemas::StartedCallResponse started_call_response(services::Admission admission);
schemas::JoinedCallResponse joined_call_response(services::Admission admission);
schemas::CallDetailsResponse call_details_response(const services::CallDetails& details);
schemas::UserResponse user_response(const services::UserDetails& details);
schemas::TimelineEntryResponse timeline_entry_response(const repositories::TimelineItem& item);
schemas::ReadyResponse ready_response(const services::Readiness& readiness);

// Where a row stands in its list.
Position position_of(const models::Call& call);
Position position_of(const models::Session& session);

}  // namespace call_service::api
