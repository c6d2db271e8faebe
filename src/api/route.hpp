#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/context.hpp"
#include "api/extract.hpp"
#include "base/task.hpp"
#include "http/message.hpp"
#include "middlewares/limits.hpp"
#include "services/call_service.hpp"
#include "services/readiness_service.hpp"
#include "services/webhook_service.hpp"
#include "wire/write.hpp"

namespace call_service::api {

// What handlers work with; owned by the composition root.
struct Services {
  services::CallService& calls;
  services::WebhookService& webhooks;
  services::ReadinessService& readiness;
};

// Who may use a route.
enum class Access {
  open,     // anybody
  caller,   // a service key or a user token
  livekit,  // LiveKit's signature, over the body
};

// A handler's success. Errors are Result's.
template <typename T>
struct Reply {
  T body;
  int status = 200;
  std::vector<http::Header> headers{};
};

// One row of the route table: it drives routing, authorization and limits.
struct Route {
  using Handler = Task<http::Response> (*)(Services&, Context&);

  http::Method method;
  std::string_view pattern;  // "/calls/{call_id}/end"
  Access access;
  Handler handler;
  std::size_t body_limit = middlewares::body_limit;
};

namespace detail {

template <typename T>
http::Response respond(Result<Reply<T>> result, const Context& context) {
  if (!result) return problem(result.error(), context.request.path, context.request_id);
  return {.status = result->status, .headers = std::move(result->headers), .body = wire::write(result->body)};
}

template <auto Function, typename T, typename... Parameters>
Task<http::Response> invoke(Services& services, Context& context) {
  Faults faults;
  // Braces: from left to right.
  std::tuple<Parameters...> parameters{Extract<Parameters>::from(context, faults)...};
  if (const auto error = std::move(faults).error()) co_return problem(*error, context.request.path, context.request_id);
  auto call = [&](Parameters&... each) { return Function(services, std::move(each)...); };
  auto result = co_await std::apply(call, parameters);
  co_return respond(std::move(result), context);
}

template <auto Function, typename T, typename... Parameters>
constexpr Route::Handler handler_of(Task<Result<Reply<T>>> (*)(Services&, Parameters...)) {
  return &invoke<Function, T, Parameters...>;
}

}  // namespace detail

// A row for a handler `Task<Result<Reply<T>>> f(Services&, …)`, whose other parameters are extracted from the request.
template <auto Function>
constexpr Route route(http::Method method, std::string_view pattern, Access access,
                      std::size_t body_limit = middlewares::body_limit) {
  return {method, pattern, access, detail::handler_of<Function>(Function), body_limit};
}

// The whole table.
std::span<const Route> routes();

// Where a request goes.
struct Match {
  const Route* route = nullptr;  // null: no such route, or none with this method
  std::vector<std::pair<std::string_view, std::string>> parameters{};
  std::string allowed_methods{};  // "GET, HEAD" of the path; empty: no such path
  bool malformed = false;         // broken percent-encoding, or not UTF-8
};

// HEAD is routed as GET.
Match find_route(std::span<const Route> table, http::Method method, std::string_view path);

}  // namespace call_service::api
