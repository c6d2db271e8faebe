#pragma once

#include "schemas/responses.hpp"
#include "services/call_service.hpp"
#include "services/readiness_service.hpp"

// How the bodies of responses are made from what services answer.
namespace call_service::api {

schemas::CallResponse call_response(const models::Call& call);
schemas::SessionResponse session_response(const models::Session& session);
schemas::StartedCallResponse started_call_response(const services::Admission& admission);
schemas::JoinedCallResponse joined_call_response(const services::Admission& admission);
schemas::CallDetailsResponse call_details_response(const services::CallDetails& details);
schemas::ReadyResponse ready_response(const services::Readiness& readiness);

}  // namespace call_service::api
