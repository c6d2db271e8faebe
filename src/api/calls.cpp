#include <set>

#include "api/handlers.hpp"
#include "api/present.hpp"

namespace call_service::api {

namespace {

// A token is for one reader; no cache may keep it.
std::vector<http::Header> token_headers() {
  std::vector<http::Header> headers;
  headers.reserve(4);  // and what else such an answer has
  headers.emplace_back("Cache-Control", "no-store");
  return headers;
}

// Each user once, where it came first.
std::vector<std::string> without_repetitions(std::vector<std::string> user_ids) {
  std::vector<std::string> kept;
  std::set<std::string_view> seen;
  for (const auto& user_id : user_ids) {
    if (seen.insert(user_id).second) kept.push_back(user_id);
  }
  return kept;
}

services::StartRequest start_request(const services::Caller& caller, schemas::StartCallRequest body) {
  return {.caller_id = body.caller_id.value_or(caller.id),
          .name = std::move(body.name),
          .call_id = body.call_id,
          .user_ids = std::move(body.user_ids).transform(without_repetitions),
          .metadata = std::move(body.metadata),
          .max_participants = body.max_participants};
}

Reply<schemas::StartedCallResponse> started(services::Admission admission) {
  Reply<schemas::StartedCallResponse> reply;
  reply.headers = token_headers();
  if (admission.created) {
    reply.status = 201;
    std::string location = "/calls/";
    admission.call.call_id.append_to(location);
    reply.headers.emplace_back("Location", std::move(location));
  }
  reply.body = started_call_response(std::move(admission));
  return reply;
}

}  // namespace

Answer<schemas::StartedCallResponse> start_call(Services& services, services::Caller caller,
                                                Body<schemas::StartCallRequest> body) {
  auto admission = co_await services.calls.start(caller, start_request(caller, std::move(body.value)));
  if (!admission) co_return std::unexpected(admission.error());
  co_return started(std::move(*admission));
}

Answer<schemas::JoinedCallResponse> join_call(Services& services, services::Caller caller, CallId call, UserId user,
                                              Body<schemas::JoinCallRequest> body) {
  auto admission = co_await services.calls.join(caller, call.value, user.value, body.value.name);
  if (!admission) co_return std::unexpected(admission.error());
  co_return Reply<schemas::JoinedCallResponse>{.body = joined_call_response(std::move(*admission)),
                                               .headers = token_headers()};
}

Answer<schemas::SessionResponse> leave_call(Services& services, services::Caller caller, CallId call, UserId user,
                                            Body<schemas::LeaveCallRequest> body) {
  const auto session = co_await services.calls.leave(caller, call.value, user.value, body.value.session_id);
  if (!session) co_return std::unexpected(session.error());
  co_return Reply<schemas::SessionResponse>{.body = session_response(*session)};
}

Answer<schemas::CallResponse> end_call(Services& services, services::Caller caller, CallId call,
                                       Body<schemas::EndCallRequest> body) {
  auto ended = co_await services.calls.end(caller, call.value, body.value.user_id);
  if (!ended) co_return std::unexpected(ended.error());
  co_return Reply<schemas::CallResponse>{.body = call_response(std::move(*ended))};
}

Answer<schemas::CallDetailsResponse> get_call(Services& services, services::Caller caller, CallId call) {
  const auto details = co_await services.calls.find(caller, call.value);
  if (!details) co_return std::unexpected(details.error());
  co_return Reply<schemas::CallDetailsResponse>{.body = call_details_response(*details)};
}

}  // namespace call_service::api
