#include "services/readiness_service.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <memory>

#include "database/errors.hpp"
#include "log.hpp"

namespace call_service::services {

namespace asio = boost::asio;

ReadinessService::ReadinessService(repositories::LeaseRepository& leases, const Clock& clock, Schema schema,
                                   const LivekitHealth& livekit, const WebhookHistory& webhooks, Jwks jwks)
    : leases_(leases), clock_(clock), schema_(std::move(schema)), livekit_(livekit), webhooks_(webhooks), jwks_(jwks) {}

// One that is under way on a thread.
struct ReadinessService::Check {
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

  explicit Check(const Executor& executor) : done(executor, Timer::time_point::max()) {}

  Timer done;  // never expires: cancelled when there is a result
  std::optional<Readiness> result;
};

// Whoever asks while a check is under way gets what comes of that one: anybody may ask, as often as they like, and each
// check costs the database a write.
Task<Readiness> ReadinessService::check() {
  static thread_local std::shared_ptr<Check> under_way;
  if (const auto joined = under_way) {
    co_await joined->done.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
    if (joined->result) co_return *joined->result;
    co_return co_await ask();
  }
  const auto mine = under_way = std::make_shared<Check>(co_await asio::this_coro::executor);
  std::exception_ptr failure;
  try {
    mine->result = co_await ask();
  } catch (...) {
    failure = std::current_exception();
  }
  under_way.reset();
  mine->done.cancel();
  if (failure) std::rethrow_exception(failure);
  co_return *mine->result;
}

Task<Readiness> ReadinessService::ask() {
  Readiness readiness{.livekit_reachable = livekit_.reachable, .webhooks = webhooks_.snapshot()};
  if (jwks_.service != nullptr) {
    readiness.jwks = jwks_.service->snapshot();
    readiness.nobody_can_authenticate = jwks_.is_only_credential && readiness.jwks->keys == 0;
  }
  try {
    readiness.schema_fault = co_await schema_fault();
    const Timestamp now = clock_.now();
    co_await leases_.take({.name = "readiness", .owner = make_uuid_v7(now), .renewed_at = now, .until = now});
  } catch (const db::Unavailable& error) {
    log::warning("not_ready", {{"error", error.what()}});
    readiness.database_fault = "the database does not answer, or takes no writes";
  } catch (const db::StatementFailed& error) {
    log::warning("not_ready", {{"error", error.what()}});
    readiness.schema_fault = "the tables are missing or not as expected: run call-service migrate upgrade";
  }
  co_return readiness;
}

// A migration may have been taken back since the start, where nobody is kept from it: on PostgreSQL.
Task<std::optional<std::string>> ReadinessService::schema_fault() {
  const auto missing = co_await schema_.revisions.missing(schema_.needed);
  if (missing.empty()) co_return std::nullopt;
  log::warning("not_ready", {{"error", "revision " + missing.front() + " is missing"}});
  co_return "revision " + missing.front() + " is missing: run call-service migrate upgrade";
}

}  // namespace call_service::services
