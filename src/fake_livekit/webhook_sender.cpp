#include "fake_livekit/webhook_sender.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <utility>

#include "jose/base64.hpp"
#include "jose/digest.hpp"
#include "jose/jws.hpp"
#include "log.hpp"
#include "wire/object_text.hpp"

namespace call_service::fake_livekit {
namespace {

namespace asio = boost::asio;

constexpr int max_attempts = 5;
constexpr Seconds token_lifetime{300};
// LiveKit has none: who accepts and never answers blocks the room's queue.
constexpr std::chrono::hours answer_timeout{24};
constexpr Milliseconds default_delay{1'000};

void log_end(const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& cause) {
    log::error("background_work_failed", {{"error", cause.what()}});
  }
}

bool is_retried(int status) {
  return status == 429 || (status >= 500 && status != 501);
}

// Seconds; a date, which nobody sends here, is as none.
std::optional<Milliseconds> parse_retry_after(int status, std::string_view text) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool whole = error == std::errc() && end == text.data() + text.size() && seconds >= 0;
  if (!whole || (status != 429 && status != 503)) return std::nullopt;
  return Seconds(seconds);
}

bool has(const std::optional<Fault>& fault, std::string_view kind) {
  return fault && fault->kind == kind;
}

std::int64_t to_seconds(Timestamp at) {
  return std::chrono::floor<Seconds>(at).time_since_epoch().count();
}

}  // namespace

WebhookSender::WebhookSender(Options options, FaultBook& faults, const Clock& clock)
    : options_(std::move(options)), faults_(faults), clock_(clock), work_(context_.get_executor()) {}

WebhookSender::~WebhookSender() {
  stop();
}

bool WebhookSender::set_url(const std::optional<std::string>& url) {
  std::shared_ptr<http::Client> client;
  if (url) {
    auto origin = http::Origin::parse(*url);
    if (!origin || url->starts_with("ws")) return false;
    if (origin->base_path.empty()) origin->base_path = "/";
    client = std::make_shared<http::Client>(context_.get_executor(), std::move(*origin));
  }
  {
    const std::lock_guard lock(mutex_);
    url_ = url;
  }
  asio::post(context_, [this, client] {
    if (client_) client_->close();
    client_ = client;
  });
  return true;
}

std::optional<std::string> WebhookSender::url() const {
  const std::lock_guard lock(mutex_);
  return url_;
}

void WebhookSender::enqueue(Event event) {
  asio::post(context_, [this, event = std::move(event)]() mutable { accept(std::move(event)); });
}

void WebhookSender::forget() {
  asio::post(context_, [this] {
    for (const auto& [room, queue] : queues_) {
      queue->dead = true;
      queue->waiting.clear();
      queue->held.reset();
    }
    queues_.clear();
    for (Timer* timer : timers_) timer->cancel();
  });
}

void WebhookSender::every(Milliseconds interval, std::function<void()> work) {
  asio::co_spawn(context_, repeat(interval, std::move(work)), log_end);
}

void WebhookSender::start() {
  thread_ = std::thread([this] { context_.run(); });
}

void WebhookSender::stop() {
  if (!thread_.joinable()) return;
  asio::post(context_, [this] {
    stopping_ = true;
    for (const auto& [room, queue] : queues_) queue->dead = true;
    for (Timer* timer : timers_) timer->cancel();
    if (client_) client_->close();
    work_.reset();
  });
  thread_.join();
}

void WebhookSender::accept(Event event) {
  if (!client_ || stopping_) return;
  auto& queue = queues_[event.room];
  if (!queue) queue = std::make_shared<Queue>();
  Queued queued{std::move(event), std::nullopt};
  queued.fault = faults_.strike(FaultTarget::webhook, queued.event.type, queued.event.room);
  if (has(queued.fault, "drop")) {
    record(queued, 0, "dropped");
  } else if (has(queued.fault, "reorder") && !queue->held) {
    const auto at_most = queued.fault->duration.value_or(default_delay);
    std::string id = queued.event.id;
    queue->held = std::move(queued);
    asio::co_spawn(context_, hold(queue, std::move(id), at_most), log_end);
  } else {
    push(queue, std::move(queued));
    release(queue);
  }
}

void WebhookSender::push(const std::shared_ptr<Queue>& queue, Queued queued) {
  if (queue->waiting.size() >= options_.max_depth) return record(queued, 0, "overflowed");
  const bool twice = has(queued.fault, "duplicate");
  if (twice) queue->waiting.push_back(queued);
  queue->waiting.push_back(std::move(queued));
  if (queue->busy) return;
  queue->busy = true;
  asio::co_spawn(context_, work_off(queue), log_end);
}

void WebhookSender::release(const std::shared_ptr<Queue>& queue) {
  if (!queue->held) return;
  Queued held = std::move(*queue->held);
  queue->held.reset();
  push(queue, std::move(held));
}

Task<> WebhookSender::hold(std::shared_ptr<Queue> queue, std::string id, Milliseconds at_most) {
  co_await wait(at_most);
  if (!queue->dead && queue->held && queue->held->event.id == id) release(queue);
}

Task<> WebhookSender::work_off(std::shared_ptr<Queue> queue) {
  while (!queue->waiting.empty() && !queue->dead) {
    Queued queued = std::move(queue->waiting.front());
    queue->waiting.pop_front();
    if (clock_.now() - queued.event.queued_at > options_.max_age) {
      record(queued, 0, "expired");
    } else {
      co_await deliver(queue, std::move(queued));
    }
  }
  queue->busy = false;
}

// One token serves all attempts.
Task<> WebhookSender::deliver(std::shared_ptr<Queue> queue, Queued queued) {
  if (has(queued.fault, "delay")) co_await wait(queued.fault->duration.value_or(default_delay));
  const std::string token = sign(queued);
  for (int number = 1; number <= max_attempts && !queue->dead; ++number) {
    const auto pause = co_await attempt(queued, number, token);
    if (!pause) co_return;
    if (number < max_attempts && !queue->dead) co_await wait(*pause);
  }
}

Task<std::optional<Milliseconds>> WebhookSender::attempt(const Queued& queued, int number, const std::string& token) {
  const auto client = client_;
  if (!client) co_return std::nullopt;
  http::ClientRequest request;
  request.headers = {{"User-Agent", "Go-http-client/1.1"},
                     {"Authorization", token},
                     {"Content-Type", "application/webhook+json"},
                     {"Accept-Encoding", "gzip"}};
  request.body = queued.event.body;
  const auto response = co_await client->send(std::move(request), answer_timeout);
  if (stopping_) co_return std::nullopt;
  const Milliseconds pause = options_.first_wait * (1 << (number - 1));
  if (!response) {
    record(queued, number, "failed", 0, response.error().what);
    co_return pause;
  }
  record(queued, number, "answered", response->status);
  if (!is_retried(response->status)) co_return std::nullopt;
  co_return parse_retry_after(response->status, response->retry_after).value_or(pause);
}

Task<> WebhookSender::wait(Milliseconds duration) {
  Timer timer(context_.get_executor());
  timers_.insert(&timer);
  timer.expires_after(duration);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable_t<Executor>{}, ignored));
  timers_.erase(&timer);
}

Task<> WebhookSender::repeat(Milliseconds interval, std::function<void()> work) {
  while (!stopping_) {
    work();
    co_await wait(interval);
  }
}

std::string WebhookSender::sign(const Queued& queued) const {
  const auto now = to_seconds(clock_.now());
  const std::string& signed_body = has(queued.fault, "wrong_hash") ? queued.event.id : queued.event.body;
  const std::string claims = wire::ObjectText()
                                 .text("iss", options_.key.key)
                                 .number("exp", now + token_lifetime.count())
                                 .number("nbf", now)
                                 .number("iat", now)
                                 .text("sha256", jose::encode_base64(jose::sha256(signed_body)))
                                 .str();
  const bool forged = has(queued.fault, "wrong_secret");
  return jose::sign_hs256(claims, forged ? "not-" + options_.key.secret : options_.key.secret);
}

void WebhookSender::record(const Queued& queued, int attempt, std::string outcome, int status, std::string cause) {
  const Event& event = queued.event;
  deliveries_.add({.at = clock_.now(),
                   .event = event.type,
                   .id = event.id,
                   .room = event.room,
                   .body = event.body,
                   .attempt = attempt,
                   .outcome = std::move(outcome),
                   .status = status,
                   .cause = std::move(cause),
                   .fault = queued.fault ? queued.fault->kind : ""});
}

}  // namespace call_service::fake_livekit
