#include <array>

#include "api/handlers.hpp"
#include "api/operations.hpp"

namespace call_service::api {

std::span<const Route> routes() {
  using enum http::Method;
  using enum Access;
  static constexpr std::array table{
      route<start_call>(post, "/calls", caller, operations::start_call),
      route<get_call>(get, "/calls/{call_id}", caller, operations::get_call),
      route<join_call>(post, "/calls/{call_id}/join/{user_id}", caller, operations::join_call),
      route<leave_call>(post, "/calls/{call_id}/leave/{user_id}", caller, operations::leave_call),
      refused_last(route<end_call>(post, "/calls/{call_id}/end", caller, operations::end_call)),
      route<list_calls>(get, "/calls", caller, operations::list_calls),
      route<list_sessions>(get, "/calls/{call_id}/sessions", caller, operations::list_sessions),
      route<list_timeline>(get, "/calls/{call_id}/timeline", caller, operations::list_timeline),
      route<get_user>(get, "/users/{user_id}", caller, operations::get_user),
      route<receive_livekit_webhook>(post, "/webhooks/livekit", livekit, operations::receive_livekit_webhook,
                                     middlewares::webhook_body_limit),
      route<get_health>(get, "/health", open, operations::get_health),
      route<get_readiness>(get, "/ready", open, operations::get_readiness),
      route<get_metrics>(get, "/metrics", service, operations::get_metrics),
      page<get_openapi>(get, "/openapi.json"),
      page<get_docs>(get, "/docs"),
      page<get_docs_file>(get, "/docs/{file}"),
  };
  return table;
}

std::span<const Route> metrics_routes() {
  using enum http::Method;
  static constexpr std::array table{
      page<get_metrics>(get, "/metrics"),
      page<get_health>(get, "/health"),
  };
  return table;
}

}  // namespace call_service::api
