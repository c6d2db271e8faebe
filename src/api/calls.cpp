#include "api/handlers.hpp"

namespace call_service::api {

namespace {

// A token is for one reader; no cache may keep it.
std::vector<http::Header> token_headers() {
  return {{"Cache-Control", "no-store"}};
}

}  // namespace

Answer<schemas::StartedCallResponse> start_call(Services& services, services::Caller caller,
                                                Body<schemas::StartCallRequest> body) {
  auto& request = body.value;
  if (!request.caller_id && caller.is_service()) {
    Error error{.code = ErrorCode::validation_failed,
                .detail = "The request's content is not valid.",
                .faults = {},
                .cause = {}};
    error.faults.push_back(
        {.pointer = "/caller_id", .parameter = {}, .code = "required", .detail = "is required with a service key"});
    co_return std::unexpected(std::move(error));
  }
  services::StartRequest start{.caller_id = request.caller_id.value_or(caller.id),
                               .name = std::move(request.name),
                               .call_id = request.call_id,
                               .user_ids = std::move(request.user_ids),
                               .metadata = std::move(request.metadata),
                               .max_participants = request.max_participants};
  const auto admission = co_await services.calls.start(caller, std::move(start));
  if (!admission) co_return std::unexpected(admission.error());
  Reply<schemas::StartedCallResponse> reply{.body = schemas::started_call_response(*admission),
                                            .headers = token_headers()};
  if (admission->created) {
    reply.status = 201;
    reply.headers.emplace_back("Location", "/calls/" + admission->call.call_id.to_string());
  }
  co_return reply;
}

Answer<schemas::JoinedCallResponse> join_call(Services& services, services::Caller caller, CallId call, UserId user,
                                              Body<schemas::JoinCallRequest> body) {
  const auto admission = co_await services.calls.join(caller, call.value, user.value, body.value.name);
  if (!admission) co_return std::unexpected(admission.error());
  co_return Reply<schemas::JoinedCallResponse>{.body = schemas::joined_call_response(*admission),
                                               .headers = token_headers()};
}

Answer<schemas::SessionResponse> leave_call(Services& services, services::Caller caller, CallId call, UserId user,
                                            Body<schemas::LeaveCallRequest> body) {
  const auto session = co_await services.calls.leave(caller, call.value, user.value, body.value.session_id);
  if (!session) co_return std::unexpected(session.error());
  co_return Reply<schemas::SessionResponse>{.body = schemas::session_response(*session)};
}

Answer<schemas::CallResponse> end_call(Services& services, services::Caller caller, CallId call,
                                       Body<schemas::EndCallRequest> body) {
  const auto ended = co_await services.calls.end(caller, call.value, body.value.user_id);
  if (!ended) co_return std::unexpected(ended.error());
  co_return Reply<schemas::CallResponse>{.body = schemas::call_response(*ended)};
}

Answer<schemas::CallDetailsResponse> get_call(Services& services, services::Caller caller, CallId call) {
  const auto details = co_await services.calls.find(caller, call.value);
  if (!details) co_return std::unexpected(details.error());
  co_return Reply<schemas::CallDetailsResponse>{.body = schemas::call_details_response(*details)};
}

}  // namespace call_service::api
