#include "api/exchange.hpp"

#include <array>

#include "database/errors.hpp"
#include "log.hpp"
#include "middlewares/request_id.hpp"

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
    : parts_(parts), context_{request, middlewares::request_id_of(request, parts.clock.now())} {}

std::optional<http::Response> Exchange::admit() {
  if (auto answer = find_route()) return finish(std::move(*answer));
  if (auto refusal = authorize()) return finish(std::move(*refusal));
  if (auto error = middlewares::refuse_body(context_.request, route_->body_limit, body_types(*route_))) {
    return finish(refuse(std::move(*error)));
  }
  return std::nullopt;
}

std::optional<http::Response> Exchange::find_route() {
  auto match = api::find_route(routes(), context_.request.method, context_.request.path);
  if (match.malformed) {
    return refuse(fail(ErrorCode::malformed_request, "The path is not properly percent-encoded UTF-8.").error());
  }
  if (match.allowed_methods.empty())
    return refuse(fail(ErrorCode::route_not_found, "There is nothing at this path.").error());
  route_ = match.route;
  context_.path_parameters = std::move(match.parameters);
  if (route_ != nullptr) return std::nullopt;
  if (auto preflight = parts_.cors.preflight(context_.request, match.allowed_methods)) return preflight;
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
  Error error = fail(ErrorCode::webhook_unauthorized, "The request is not signed by LiveKit.").error();
  error.cause = name_of(why);
  return refuse(std::move(error));
}

std::optional<http::Response> Exchange::authorize_caller() {
  auto caller = parts_.authorizer.authorize(context_.request);
  if (caller) {
    context_.caller = std::move(*caller);
    return std::nullopt;
  }
  Error error = fail(ErrorCode::unauthorized, "A valid service key or user token is required.").error();
  error.cause = std::move(caller.error());
  auto response = refuse(std::move(error));
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

std::size_t Exchange::body_limit() const {
  return route_->body_limit;
}

http::Response Exchange::body_too_large() {
  return finish(refuse(
      fail(ErrorCode::body_too_large, "The body is larger than " + std::to_string(route_->body_limit) + " bytes.")
          .error()));
}

Task<http::Response> Exchange::handle() {
  const bool from_livekit = route_->access == Access::livekit;
  if (from_livekit && !parts_.webhook_authorization.accept(webhook_hash_, context_.request)) {
    co_return finish(refuse_livekit(livekit::WebhookRejection::hash));
  }
  auto response = co_await route_->handler(parts_.services, context_);
  co_return finish(std::move(response));
}

http::Response Exchange::fail_unexpected(const std::exception& cause) {
  const bool outage = dynamic_cast<const db::Unavailable*>(&cause) != nullptr;
  Error error = outage ? fail(ErrorCode::database_unavailable, "The database does not answer; a retry is safe.").error()
                       : fail(ErrorCode::internal, "Something went wrong on our side.").error();
  error.cause = cause.what();
  auto response = refuse(std::move(error));
  // LiveKit's own pauses cover 15 s; a short Retry-After would cut them to 4 s.
  const bool to_livekit = route_ != nullptr && route_->access == Access::livekit;
  if (outage && !to_livekit) response.headers.emplace_back("Retry-After", "1");
  return finish(std::move(response));
}

http::Response Exchange::refuse(Error error) {
  cause_ = error.cause;
  return problem(error, context_.request.path, context_.request_id);
}

http::Response Exchange::finish(http::Response response) {
  response.headers.emplace_back("X-Request-Id", context_.request_id);
  parts_.cors.decorate(context_.request, response);
  return response;
}

// One line a request. The path is what the client sent, without the query, where others put tokens.
void Exchange::finished(const http::Response& response, bool sent) {
  const bool bug = response.status == 500;
  const auto level = bug ? log::Level::error : log::Level::info;
  if (!log::enabled(level)) return;
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began_;
  const std::string_view who = context_.caller ? std::string_view(context_.caller->id) : std::string_view();
  log::write(level, "request",
             {{"request_id", context_.request_id},
              {"method", http::name_of(context_.request.method)},
              {"path", context_.request.path},
              {"route", route_ != nullptr ? route_->pattern : std::string_view("none")},
              {"status", response.status},
              {"duration_ms", took.count()},
              {"caller", who},
              {"cause", cause_},
              {"sent", sent}});
}

}  // namespace call_service::api
