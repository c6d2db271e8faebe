#include "http/client.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <unordered_set>

#include "http/parser.hpp"
#include "http/text.hpp"

namespace call_service::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using TlsStream = asio::ssl::stream<Socket&>;
using Resolver = asio::ip::basic_resolver<tcp, Executor>;
using Endpoints = std::vector<tcp::endpoint>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr std::size_t max_kept = 8;
constexpr std::size_t max_head_bytes = 64 * 1024;
constexpr std::size_t read_bytes = 16 * 1024;

auto into(error_code& ec) {
  return asio::redirect_error(asio::use_awaitable_t<Executor>{}, ec);
}

class ResponseParser final : public BodyParser<false> {
 public:
  ResponseParser(bool answers_head, std::size_t most_answered) {
    header_limit(max_head_bytes);
    body_limit(most_answered);
    eager(true);
    skip(answers_head);
  }

  int status = 0;
  std::string date;
  std::string retry_after;

 private:
  void on_response_impl(int code, Text, int, ErrorCode&) override { status = code; }
  void on_field_impl(Field field, Text, Text value, ErrorCode&) override {
    if (field == Field::date) date = value;
    if (field == Field::retry_after) retry_after = value;
  }
};

// One connection to the origin.
struct Link {
  explicit Link(const Executor& executor) : socket(executor) {}

  Task<std::size_t> read_some(asio::mutable_buffer space, error_code& ec) {
    if (tls) co_return co_await tls->async_read_some(space, into(ec));
    co_return co_await socket.async_read_some(space, into(ec));
  }
  Task<> write(const std::string& text, error_code& ec) {
    if (tls) {
      co_await asio::async_write(*tls, asio::buffer(text), into(ec));
    } else {
      co_await asio::async_write(socket, asio::buffer(text), into(ec));
    }
  }
  // Whether the peer has closed it, or sent what nobody asked for.
  bool is_stale() {
    char byte = 0;
    return ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
  }

  Socket socket;
  std::unique_ptr<TlsStream> tls;
  std::chrono::steady_clock::time_point used_at;  // while it is kept
};

// One send() under its deadline. interrupt() ends whatever it waits for.
struct Exchange {
  explicit Exchange(const Executor& executor) : deadline(executor), resolved(executor) {}

  std::size_t most_answered = 0;

  void interrupt() {
    interrupted = true;
    error_code ignored;
    if (link) link->socket.close(ignored);
    resolved.cancel();
    deadline.cancel();
  }

  Timer deadline;
  Timer resolved;  // never expires: cancelled when the name is resolved
  std::unique_ptr<Link> link;
  bool interrupted = false;
  bool timed_out = false;
  bool answer_began = false;
  bool reusable = false;
  ClientError::Step step = ClientError::Step::exchange;
  std::string failure;  // what went wrong, empty if nothing did
  ClientResponse response;
};

bool fail(Exchange& exchange, std::string_view step, const error_code& ec) {
  if (ec) exchange.failure = std::string(step) + ": " + ec.message();
  return static_cast<bool>(ec);
}

}  // namespace

class Client::Impl {
 public:
  Impl(Executor executor, Origin origin, std::chrono::milliseconds longest_idle);

  // Holds the first argument while it runs: the Client may be gone before the request has ended.
  Task<std::expected<ClientResponse, ClientError>> send(std::shared_ptr<Impl>, ClientRequest request,
                                                        std::chrono::milliseconds timeout);
  void close();

 private:
  std::string text_of(const ClientRequest& request) const;
  std::unique_ptr<Link> take_kept();
  Task<> attempt(Exchange& exchange, const std::string& text, bool head);
  Task<bool> connect(std::shared_ptr<Exchange> exchange);
  Task<Endpoints> resolve(std::shared_ptr<Exchange> exchange);
  Task<bool> secure(Exchange& exchange);
  Task<> receive(Exchange& exchange, bool head);
  Task<> run(std::shared_ptr<Exchange> exchange, const ClientRequest& request);

  const Executor executor_;
  const Origin origin_;
  const std::chrono::milliseconds longest_idle_;
  Resolver resolver_;
  std::optional<asio::ssl::context> tls_;
  std::vector<std::unique_ptr<Link>> kept_;
  std::unordered_set<Exchange*> running_;
  bool closed_ = false;
};

Client::Impl::Impl(Executor executor, Origin origin, std::chrono::milliseconds longest_idle)
    : executor_(std::move(executor)), origin_(std::move(origin)), longest_idle_(longest_idle), resolver_(executor_) {
  if (!origin_.tls) return;
  tls_.emplace(asio::ssl::context::tls_client);
  tls_->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  tls_->set_default_verify_paths();
  tls_->set_verify_mode(asio::ssl::verify_peer);
}

Task<std::expected<ClientResponse, ClientError>> Client::Impl::send(std::shared_ptr<Impl>, ClientRequest request,
                                                                    std::chrono::milliseconds timeout) {
  if (closed_) co_return std::unexpected(ClientError{.what = "the client is closed"});
  const auto exchange = std::make_shared<Exchange>(executor_);
  exchange->most_answered = request.most_answered;
  exchange->deadline.expires_after(timeout);
  exchange->deadline.async_wait([exchange](error_code ec) {
    if (ec) return;
    exchange->timed_out = true;
    exchange->interrupt();
  });
  running_.insert(exchange.get());
  std::exception_ptr broken;
  try {
    co_await run(exchange, request);
  } catch (...) {
    broken = std::current_exception();
  }
  running_.erase(exchange.get());
  exchange->deadline.cancel();
  if (broken) std::rethrow_exception(broken);
  if (exchange->timed_out)
    co_return std::unexpected(ClientError{.what = "timed out", .timed_out = true, .step = exchange->step});
  if (exchange->interrupted) co_return std::unexpected(ClientError{.what = "the client was closed"});
  if (!exchange->failure.empty())
    co_return std::unexpected(ClientError{.what = exchange->failure, .step = exchange->step});
  if (exchange->reusable && kept_.size() < max_kept) {
    exchange->link->used_at = std::chrono::steady_clock::now();
    kept_.push_back(std::move(exchange->link));
  }
  co_return std::move(exchange->response);
}

Task<> Client::Impl::run(std::shared_ptr<Exchange> exchange, const ClientRequest& request) {
  const std::string text = text_of(request);
  const bool head = request.method == Method::head;
  if (!request.new_connection) exchange->link = take_kept();
  if (exchange->link) {
    co_await attempt(*exchange, text, head);
    if (exchange->failure.empty() || exchange->answer_began) co_return;
    // Whatever befell this one may have befallen them all, and each would cost another request its time.
    kept_.clear();
    if (exchange->interrupted || !request.resend) co_return;
    exchange->failure.clear();
  }
  if (co_await connect(exchange)) co_await attempt(*exchange, text, head);
}

Task<> Client::Impl::attempt(Exchange& exchange, const std::string& text, bool head) {
  exchange.step = ClientError::Step::exchange;
  error_code ec;
  co_await exchange.link->write(text, ec);
  if (!fail(exchange, "sending the request", ec)) co_await receive(exchange, head);
}

std::unique_ptr<Link> Client::Impl::take_kept() {
  // The last used is the last of the list: if that is too old, all are.
  const auto now = std::chrono::steady_clock::now();
  while (!kept_.empty() && now - kept_.back()->used_at <= longest_idle_) {
    std::unique_ptr<Link> link = std::move(kept_.back());
    kept_.pop_back();
    if (!link->is_stale()) return link;
  }
  kept_.clear();
  return nullptr;
}

Task<bool> Client::Impl::connect(std::shared_ptr<Exchange> exchange) {
  exchange->step = ClientError::Step::resolve;
  const Endpoints endpoints = co_await resolve(exchange);
  if (exchange->interrupted || !exchange->failure.empty()) co_return false;
  exchange->step = ClientError::Step::connect;
  exchange->link = std::make_unique<Link>(executor_);
  error_code ec;
  co_await asio::async_connect(exchange->link->socket, endpoints, into(ec));
  if (fail(*exchange, "connecting", ec)) co_return false;
  exchange->link->socket.set_option(tcp::no_delay(true), ec);
  if (!tls_) co_return true;
  co_return co_await secure(*exchange);
}

// Waits for the resolver, but no longer than the exchange: a look-up under way cannot be called back, only abandoned.
Task<Endpoints> Client::Impl::resolve(std::shared_ptr<Exchange> exchange) {
  error_code ec;
  const auto address = asio::ip::make_address(origin_.host, ec);
  const auto found = std::make_shared<Endpoints>();
  if (!ec) {
    found->emplace_back(address, static_cast<std::uint16_t>(std::stoul(origin_.port)));
    co_return *found;
  }
  exchange->resolved.expires_at(Timer::time_point::max());
  resolver_.async_resolve(origin_.host, origin_.port,
                          [exchange, found](const error_code& failure, const Resolver::results_type& results) {
                            fail(*exchange, "resolving the host", failure);
                            for (const auto& result : results) found->push_back(result.endpoint());
                            exchange->resolved.cancel();
                          });
  error_code ignored;
  co_await exchange->resolved.async_wait(into(ignored));
  co_return *found;
}

Task<bool> Client::Impl::secure(Exchange& exchange) {
  exchange.step = ClientError::Step::secure;
  Link& link = *exchange.link;
  link.tls = std::make_unique<TlsStream>(link.socket, *tls_);
  link.tls->set_verify_callback(asio::ssl::host_name_verification(origin_.host));
  error_code numeric;
  asio::ip::make_address(origin_.host, numeric);
  if (numeric) SSL_set_tlsext_host_name(link.tls->native_handle(), origin_.host.c_str());
  error_code ec;
  co_await link.tls->async_handshake(TlsStream::client, into(ec));
  co_return !fail(exchange, "TLS handshake", ec);
}

Task<> Client::Impl::receive(Exchange& exchange, bool head) {
  std::optional<ResponseParser> parser(std::in_place, head, exchange.most_answered);
  beast::flat_buffer input;
  error_code ec;
  while (!parser->is_done()) {
    const auto space = input.prepare(read_bytes);
    const std::size_t received = co_await exchange.link->read_some(space, ec);
    if (ec == asio::error::eof && parser->got_some()) {
      parser->put_eof(ec);
      if (fail(exchange, "reading the response", ec) || parser->is_done()) break;
    }
    if (fail(exchange, "reading the response", ec)) co_return;
    exchange.answer_began = true;
    input.commit(received);
    ec = feed(*parser, input, max_head_bytes);
    while (!ec && parser->is_done() && parser->status / 100 == 1) {
      parser.emplace(head, exchange.most_answered);
      ec = feed(*parser, input, max_head_bytes);
    }
    if (fail(exchange, "reading the response", ec)) co_return;
  }
  exchange.reusable = exchange.failure.empty() && parser->keep_alive() && input.size() == 0;
  exchange.response = {.status = parser->status,
                       .date = std::move(parser->date),
                       .retry_after = std::move(parser->retry_after),
                       .body = std::move(parser->body)};
}

std::string Client::Impl::text_of(const ClientRequest& request) const {
  const bool v6 = origin_.host.find(':') != std::string::npos;
  const bool default_port = origin_.port == (origin_.tls ? "443" : "80");
  std::string host = v6 ? "[" + origin_.host + "]" : origin_.host;
  if (!default_port) host += ":" + origin_.port;
  std::string text;
  text.append(name_of(request.method)).append(" ").append(origin_.base_path).append(request.path);
  text += " HTTP/1.1\r\n";
  append_header(text, "Host", host);
  for (const auto& [name, value] : request.headers) append_header(text, name, value);
  const bool has_body = request.method == Method::post || request.method == Method::put ||
                        request.method == Method::patch || !request.body.empty();
  if (has_body) append_header(text, "Content-Length", std::to_string(request.body.size()));
  text += "\r\n";
  text += request.body;
  return text;
}

void Client::Impl::close() {
  closed_ = true;
  kept_.clear();
  resolver_.cancel();
  for (Exchange* exchange : running_) exchange->interrupt();
}

Client::Client(Executor executor, Origin origin, std::chrono::milliseconds longest_idle)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(origin), longest_idle)) {}
Client::~Client() {
  impl_->close();
}

Task<std::expected<ClientResponse, ClientError>> Client::send(ClientRequest request,
                                                              std::chrono::milliseconds timeout) {
  return impl_->send(impl_, std::move(request), timeout);
}

void Client::close() {
  impl_->close();
}

}  // namespace call_service::http
