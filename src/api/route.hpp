#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/context.hpp"
#include "api/extract.hpp"
#include "api/handler_types.hpp"
#include "api/operation.hpp"
#include "base/task.hpp"
#include "http/message.hpp"
#include "middlewares/limits.hpp"
#include "middlewares/overload.hpp"
#include "services/call_service.hpp"
#include "services/list_service.hpp"
#include "services/readiness_service.hpp"
#include "services/timeline_service.hpp"
#include "services/webhook_service.hpp"
#include "wire/write.hpp"

namespace call_service::api {

// What handlers work with; owned by the composition root.
struct Services {
  services::CallService& calls;
  services::ListService& lists;
  services::TimelineService& timeline;
  services::WebhookService& webhooks;
  services::ReadinessService& readiness;
};

// Who may use a route.
enum class Access {
  open,     // anybody
  caller,   // a service key or a user token
  service,  // a service key
  livekit,  // LiveKit's signature, over the body
};

// A handler's success. Errors are Result's.
template <typename T>
struct Reply {
  T body;
  int status = 200;
  std::vector<http::Header> headers{};
};

// What a handler answers where it is not JSON by a schema.
struct Content {
  std::string type{};
  std::string bytes{};
};

// One row of the route table: it drives routing, authorization, limits and the OpenAPI document.
struct Route {
  using Handler = Task<http::Response> (*)(Services&, Context&);
  using Description = void (*)(HandlerTypes&);

  http::Method method;
  std::string_view pattern;  // "/calls/{call_id}/end"
  Access access;
  Handler handler;
  Description describe;        // adds what the handler's types say
  const Operation* operation;  // null: not in the document
  middlewares::Work work;      // what is refused first when there is too much to do
  std::size_t body_limit = middlewares::body_limit;
};

namespace detail {

// What needs no credential, and what is for operators, is answered whatever happens.
constexpr middlewares::Work work_of(http::Method method, Access access) {
  if (access == Access::livekit) return middlewares::Work::webhook;
  if (access != Access::caller) return middlewares::Work::none;
  return method == http::Method::get ? middlewares::Work::read : middlewares::Work::write;
}

inline http::Response refuse(const Error& error, Context& context) {
  context.code = error.code;
  return problem(error, context.request.path, context.request_id);
}

template <typename T>
http::Response respond(Result<Reply<T>> result, Context& context) {
  if (!result) return refuse(result.error(), context);
  http::Response response{.status = result->status, .headers = std::move(result->headers)};
  if constexpr (std::same_as<T, Content>) {
    response.content_type = std::move(result->body.type);
    response.body = std::move(result->body.bytes);
  } else {
    response.body = wire::write(result->body);
  }
  return response;
}

template <auto Function, typename T, typename... Parameters>
Task<http::Response> invoke(Services& services, Context& context) {
  Faults faults;
  // Braces: from left to right.
  std::tuple<Parameters...> parameters{Extract<Parameters>::from(context, faults)...};
  if (const auto error = std::move(faults).error()) co_return refuse(*error, context);
  auto call = [&](Parameters&... each) { return Function(services, std::move(each)...); };
  auto result = co_await std::apply(call, parameters);
  co_return respond(std::move(result), context);
}

template <auto Function, typename T, typename... Parameters>
constexpr Route::Handler handler_of(Task<Result<Reply<T>>> (*)(Services&, Parameters...)) {
  return &invoke<Function, T, Parameters...>;
}

template <typename T, typename... Parameters>
void describe(HandlerTypes& types) {
  (Describe<Parameters>::add_to(types), ...);
  if constexpr (!std::same_as<T, Content>) describe_response<T>(types);
}

template <typename T, typename... Parameters>
constexpr Route::Description description_of(Task<Result<Reply<T>>> (*)(Services&, Parameters...)) {
  return &describe<T, Parameters...>;
}

}  // namespace detail

// A row for a handler `Task<Result<Reply<T>>> f(Services&, …)`, whose other parameters are extracted from the request.
// `operation` lives as long as the program.
template <auto Function>
constexpr Route route(http::Method method, std::string_view pattern, Access access, const Operation& operation,
                      std::size_t body_limit = middlewares::body_limit) {
  return {method,
          pattern,
          access,
          detail::handler_of<Function>(Function),
          detail::description_of(Function),
          &operation,
          detail::work_of(method, access),
          body_limit};
}

// The same, but refused as late as what LiveKit tells.
constexpr Route refused_last(Route row) {
  row.work = middlewares::Work::end;
  return row;
}

// A row that the document leaves out: what is for browsers and not for clients.
template <auto Function>
constexpr Route page(http::Method method, std::string_view pattern) {
  return {method,
          pattern,
          Access::open,
          detail::handler_of<Function>(Function),
          detail::description_of(Function),
          nullptr,
          middlewares::Work::none,
          0};
}

// The whole table.
std::span<const Route> routes();
// That of the listener for metrics alone, where nobody needs a credential.
std::span<const Route> metrics_routes();

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
