#include <array>

#include "api/handlers.hpp"

namespace call_service::api {

std::span<const Route> routes() {
  using enum http::Method;
  static constexpr std::array table{
      route<start_call>(post, "/calls", Access::caller),
      route<get_call>(get, "/calls/{call_id}", Access::caller),
      route<join_call>(post, "/calls/{call_id}/join/{user_id}", Access::caller),
      route<leave_call>(post, "/calls/{call_id}/leave/{user_id}", Access::caller),
      route<end_call>(post, "/calls/{call_id}/end", Access::caller),
      route<receive_livekit_webhook>(post, "/webhooks/livekit", Access::livekit, middlewares::webhook_body_limit),
      route<get_health>(get, "/health", Access::open),
      route<get_readiness>(get, "/ready", Access::open),
  };
  return table;
}

}  // namespace call_service::api
