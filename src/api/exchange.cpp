#include "api/exchange.hpp"

#include <array>

#include "api/access_log.hpp"
#include "database/errors.hpp"
#include "metrics.hpp"
#include "middlewares/request_id.hpp"
#include "middlewares/safe_defaults.hpp"
#include "middlewares/trace_context.hpp"

namespace call_service::api {

namespace {

constexpr std::array<std::string_view, 1> json{"application/json"};
constexpr std::array<std::string_view, 2> webhook_types{"application/webhook+json", "application/json"};

std::span<const std::string_view> body_types(const Route& route) {
  if (route.access == Access::livekit) return webhook_types;
  return json;
}

}  // namespace

http::Response problem(const Error& error, std::string_view instance, std::string_view request_id) {
  return {.status = status_of(error.code),
          .content_type = "application/problem+json",
          .headers = {},
          .body = problem_json(error, instance, request_id)};
}

Exchange::Exchange(Application::Parts& parts, http::Request& request)
    : parts_(parts), context_{request, middlewares::request_id_of(request, parts.clock.now())} {
  const auto trace = middlewares::trace_context_of(request).value_or(middlewares::TraceContext{});
  context_.origin = {.request_id = context_.request_id, .trace_id = trace.trace_id, .parent_id = trace.parent_id};
  metrics::series().requests_in_flight.add(1);
}

Exchange::~Exchange() {
  metrics::series().requests_in_flight.add(-1);
}

std::optional<http::Response> Exchange::admit() {
  if (auto answer = find_route()) return finish(std::move(*answer));
  if (auto refusal = shed()) return finish(std::move(*refusal));
  if (auto refusal = authorize()) return finish(std::move(*refusal));
  if (must_wait()) return std::nullopt;
  return admit_body();
}

Task<std::optional<http::Response>> Exchange::admit_after_wait() {
  co_await parts_.authorizer.refresh_keys();
  key_wait_ = KeyWait::over;
  if (auto refusal = authorize()) co_return finish(std::move(*refusal));
  co_return admit_body();
}

std::optional<http::Response> Exchange::admit_body() {
  if (auto error = middlewares::refuse_body(context_.request, route_->body_limit, body_types(*route_))) {
    return finish(refuse(std::move(*error)));
  }
  if (route_->work == middlewares::Work::none) return std::nullopt;
  const std::size_t bytes = middlewares::body_bytes(context_.request, route_->body_limit);
  if (auto taken = parts_.overload.memory().take(route_->work, bytes)) {
    memory_.emplace(std::move(*taken));
    return std::nullopt;
  }
  return finish(refuse_overloaded("bodies take too much memory"));
}

// Before anything that costs: whoever is refused here has not even been asked for a credential.
std::optional<http::Response> Exchange::shed() {
  if (parts_.overload.has_room(route_->work)) return std::nullopt;
  return refuse_overloaded("too much waits for the database");
}

std::optional<http::Response> Exchange::find_route() {
  auto match = api::find_route(parts_.table, context_.request.method, context_.request.path);
  // Also where there is nothing: otherwise a page's script could not read that answer.
  if (auto preflight = parts_.cors.preflight(context_.request, match.allowed_methods)) return preflight;
  if (match.malformed) {
    return refuse(fail(ErrorCode::malformed_request, "The path is not properly percent-encoded UTF-8.").error());
  }
  auto query = http::parse_query(context_.request.query);
  if (!query) {
    return refuse(fail(ErrorCode::malformed_request, "The query is not properly percent-encoded UTF-8.").error());
  }
  context_.query_parameters = std::move(*query);
  if (match.allowed_methods.empty())
    return refuse(fail(ErrorCode::route_not_found, "There is nothing at this path.").error());
  route_ = match.route;
  context_.path_parameters = std::move(match.parameters);
  if (route_ != nullptr) return std::nullopt;
  auto response =
      refuse(fail(ErrorCode::method_not_allowed, "This path answers " + match.allowed_methods + ".").error());
  response.headers.emplace_back("Allow", match.allowed_methods);
  return response;
}

std::optional<http::Response> Exchange::authorize() {
  switch (route_->access) {
    case Access::open:
      return std::nullopt;
    case Access::caller:
      return authorize_caller();
    case Access::service:
      return authorize_service();
    case Access::livekit:
      return authorize_livekit();
  }
  std::unreachable();
}

std::optional<http::Response> Exchange::authorize_livekit() {
  auto hash = parts_.webhook_authorization.authorize(context_.request);
  if (!hash) return refuse_livekit(hash.error());
  webhook_hash_ = std::move(*hash);
  return std::nullopt;
}

http::Response Exchange::refuse_livekit(livekit::WebhookRejection why) {
  log::write(log::Level::warning, "webhook_refused", context_.origin, {{"reason", name_of(why)}, {"cause", "webhook"}});
  Error error = fail(ErrorCode::webhook_unauthorized, "The request is not signed by LiveKit.").error();
  error.cause = name_of(why);
  return refuse(std::move(error));
}

std::optional<http::Response> Exchange::authorize_caller() {
  auto caller = parts_.authorizer.authorize(context_.request);
  if (caller) {
    context_.caller = std::move(*caller);
    context_.caller->origin = &context_.origin;
    return std::nullopt;
  }
  if (caller.error().key_is_unknown && key_wait_ == KeyWait::none) {
    key_wait_ = KeyWait::due;
    return std::nullopt;
  }
  Error error = fail(ErrorCode::unauthorized, "A valid service key or user token is required.").error();
  error.cause = std::move(caller.error().cause);
  auto response = refuse(std::move(error));
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

std::optional<http::Response> Exchange::authorize_service() {
  if (auto refusal = authorize_caller()) return refusal;
  if (must_wait() || context_.caller->is_service()) return std::nullopt;
  return refuse(fail(ErrorCode::forbidden, "This needs a service key.").error());
}

std::size_t Exchange::body_limit() const {
  return route_->body_limit;
}

http::Response Exchange::refuse(http::Refusal why) {
  switch (why) {
    case http::Refusal::malformed:
      return finish(refuse(fail(ErrorCode::malformed_request, "This is not proper HTTP/1.1.").error()));
    case http::Refusal::head_too_large:
      return finish(refuse(fail(ErrorCode::headers_too_large, "The header is larger than 16 KiB.").error()));
    case http::Refusal::body_too_large:
      return finish(refuse(middlewares::body_too_large(route_->body_limit)));
    case http::Refusal::stopping:
      return finish(refuse_for_now(
          fail(ErrorCode::shutting_down, "The service stops before the request is done; a retry is safe.").error()));
  }
  std::unreachable();
}

Task<http::Response> Exchange::handle() {
  if (auto error = middlewares::refuse_untyped_body(context_.request, body_types(*route_))) {
    co_return finish(refuse(std::move(*error)));
  }
  // While the body came, others did too.
  if (auto refusal = shed()) co_return finish(std::move(*refusal));
  const bool from_livekit = route_->access == Access::livekit;
  if (from_livekit && !parts_.webhook_authorization.accept(webhook_hash_, context_.request)) {
    co_return finish(refuse_livekit(livekit::WebhookRejection::hash));
  }
  auto response = co_await route_->handler(parts_.services, context_);
  co_return finish(std::move(response));
}

http::Response Exchange::fail_unexpected(const std::exception& cause) {
  if (dynamic_cast<const db::Overloaded*>(&cause) != nullptr) return finish(refuse_overloaded(cause.what()));
  const bool outage = dynamic_cast<const db::Unavailable*>(&cause) != nullptr;
  Error error = outage ? fail(ErrorCode::database_unavailable, "The database does not answer; a retry is safe.").error()
                       : fail(ErrorCode::internal, "Something went wrong on our side.").error();
  error.cause = cause.what();
  return finish(outage ? refuse_for_now(std::move(error)) : refuse(std::move(error)));
}

// LiveKit's own pauses cover 15 s; a short Retry-After would cut them to 4 s.
http::Response Exchange::refuse_for_now(Error error) {
  auto response = refuse(std::move(error));
  const bool to_livekit = route_ != nullptr && route_->access == Access::livekit;
  if (!to_livekit) response.headers.emplace_back("Retry-After", "1");
  return response;
}

http::Response Exchange::refuse_overloaded(std::string cause) {
  metrics::series().requests_shed.add({name_of(route_->work)});
  Error error = fail(ErrorCode::overloaded, "There is more to do than can be done in time; a retry is safe.").error();
  error.cause = std::move(cause);
  return refuse_for_now(std::move(error));
}

http::Response Exchange::refuse(Error error) {
  cause_ = error.cause;
  context_.code = error.code;
  return problem(error, context_.request.path, context_.request_id);
}

http::Response Exchange::finish(http::Response response) {
  response.headers.emplace_back("X-Request-Id", context_.request_id);
  middlewares::add_safe_defaults(response);
  parts_.cors.decorate(context_.request, response);
  return response;
}

void Exchange::finished(const http::Response& response, bool sent) {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
  const std::size_t row =
      route_ != nullptr ? static_cast<std::size_t>(route_ - parts_.table.data()) : parts_.table.size();
  const std::string_view method = http::name_of(context_.request.method);
  parts_.counts[row]->count(method.empty() ? "OTHER" : method, response.status, took.count());
  const std::string_view route = route_ != nullptr ? route_->pattern : "none";
  log_access(context_, response, {.route = route, .took = took, .cause = cause_, .sent = sent});
}

}  // namespace call_service::api
