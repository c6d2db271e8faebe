#include "fake_livekit/front.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace call_service::fake_livekit {
namespace {

namespace asio = boost::asio;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr Milliseconds default_delay{1'000};
constexpr Milliseconds default_hang{600'000};

Task<> wait(Milliseconds duration) {
  Timer timer(co_await asio::this_coro::executor);
  timer.expires_after(duration);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable_t<Executor>{}, ignored));
}

http::Response unavailable() {
  return twirp_error(503, "unavailable", "no response from servers");
}

http::Response plain(int status, std::string text) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

// Of the faults that only change the answer; `method` says which list is empty.
http::Response false_answer(const std::string& kind, const std::string& method) {
  if (kind == "internal_error") return twirp_error(500, "unknown", "could not find object");
  if (kind == "unauthorized") return plain(401, "invalid authorization token");
  if (kind == "garbage") return {.content_type = "text/html", .body = "<!doctype html><title>It works!</title>"};
  if (kind == "empty_list") return {.body = method == "ListRooms" ? R"({"rooms":[]})" : R"({"participants":[]})"};
  return unavailable();
}

}  // namespace

Task<http::Response> Front::answer(const http::Request& request) {
  if (request.path == "/") co_return plain(200, "OK");
  if (request.path == "/rtc/validate") co_return service_.validate(request);
  if (!request.path.starts_with(room_service_path)) co_return plain(404, "404 page not found\n");
  co_return co_await serve(request);
}

Task<http::Response> Front::serve(const http::Request& request) {
  const RoomRequest described = RoomService::describe(request);
  const auto fault = faults_.strike(FaultTarget::request, described.method, described.room);
  const std::string* authorization = request.header("Authorization");
  const auto seq = requests_.add({.at = clock_.now(),
                                  .method = described.method,
                                  .room = described.room,
                                  .body = request.body,
                                  .authorization = authorization != nullptr ? *authorization : "",
                                  .fault = fault ? fault->kind : ""});
  auto response = fault ? co_await serve(request, described.method, *fault) : service_.answer(request);
  requests_.change(seq, [&](SeenRequest& seen) { seen.status = response.status; });
  co_return response;
}

Task<http::Response> Front::serve(const http::Request& request, const std::string& method, const Fault& fault) {
  if (fault.kind == "delay") {
    co_await wait(fault.duration.value_or(default_delay));
    co_return service_.answer(request);
  }
  if (fault.kind == "hang" || fault.kind == "lose_answer") {
    if (fault.kind == "lose_answer") service_.answer(request);
    co_await wait(fault.duration.value_or(default_hang));
    co_return unavailable();
  }
  if (fault.kind != "half") co_return false_answer(fault.kind, method);
  http::Response response = service_.answer(request);
  response.body.resize(response.body.size() / 2);
  co_return response;
}

}  // namespace call_service::fake_livekit
