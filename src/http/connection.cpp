#include "http/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <ctime>
#include <stdexcept>

#include "http/request_head.hpp"
#include "http/request_parser.hpp"
#include "http/text.hpp"

namespace call_service::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kept_input_bytes = 2048;  // a usual request, or one of LiveKit
constexpr std::size_t kept_output_bytes = 64 * 1024;

auto into(error_code& ec) {
  return asio::redirect_error(asio::use_awaitable_t<Executor>{}, ec);
}

enum class Reading { complete, unfinished, broken, too_large, gone };

// Answers that wait for their clients to read them, on all connections together. Beyond the most, the connection of the
// next one is closed: only who does not read is hurt.
class Unsent {
 public:
  explicit Unsent(std::size_t bytes) : bytes_(bytes) { total_ += bytes_; }
  ~Unsent() { total_ -= bytes_; }
  Unsent(const Unsent&) = delete;
  Unsent& operator=(const Unsent&) = delete;
  bool is_too_much() const { return total_ > most_unsent_bytes; }

 private:
  static constexpr std::size_t most_unsent_bytes = 128UL * 1024 * 1024;
  static inline std::atomic<std::size_t> total_ = 0;
  const std::size_t bytes_;
};

// What came of one exchange.
struct Outcome {
  Response response;
  bool keep_alive = false;
  bool gone = false;  // nobody is there to be answered; the response is for the log
};

class HttpConnection final : public Connection {
 public:
  HttpConnection(Socket socket, Serving& serving) : socket_(std::move(socket)), serving_(serving) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
  }

  Task<> serve() override;
  void drain() override;
  bool cut() override;

 private:
  Task<bool> await_request();
  Task<bool> serve_request();
  Task<Reading> read_head(RequestParser& parser);
  Reading parse_head(RequestParser& parser, std::size_t& parsed);
  Task<Reading> read_body(RequestParser& parser, std::size_t limit);
  Reading parse_body(RequestParser& parser);
  Task<Outcome> answer(RequestParser& parser, Exchange& exchange);
  Task<> converse(RequestParser& parser, Exchange& exchange, Outcome& outcome);
  void salvage_head(RequestParser& parser);
  bool send_last_word();
  void drop_body(RequestParser& parser);
  void close();
  Task<bool> receive();
  Task<bool> write(Response& response, const Framing& framing);
  Task<error_code> write_rest();
  Task<bool> invite_body(const RequestParser& parser);
  Task<> linger();

  void skip_empty_lines();
  bool input_is_waiting();

  Socket socket_;
  std::shared_ptr<Deadline> deadline_ = std::make_shared<Deadline>(socket_);
  Serving& serving_;
  beast::flat_buffer input_;
  std::string unsent_;
  Exchange* exchange_ = nullptr;  // the one that has begun and is not finished
  bool answers_head_ = false;     // that one is a HEAD
  bool idle_ = true;              // no byte of a request has come
  bool waited_ = false;           // for input, since the last request
  bool writing_ = false;          // the response is on its way
  bool lingers_ = false;          // the client may still be sending when the connection is closed
  bool cut_ = false;
  bool last_word_sent_ = false;  // the request was answered when it was cut
};

Task<> HttpConnection::serve() {
  while (co_await await_request() && co_await serve_request()) continue;
  if (!cut_ && (lingers_ || input_is_waiting())) co_await linger();
  close();
}

void HttpConnection::close() {
  error_code ignored;
  socket_.close(ignored);
}

// Ends the wait for a request, but not if one has been read and is about to be parsed.
void HttpConnection::drain() {
  error_code ignored;
  if (idle_ && !input_is_waiting()) socket_.cancel(ignored);
}

bool HttpConnection::cut() {
  cut_ = true;
  const bool unanswered = exchange_ != nullptr && !writing_;
  if (unanswered) last_word_sent_ = send_last_word();
  close();
  return unanswered;
}

// Answers the request that is cut. Nothing waits for the client any more: what the socket does not take is lost.
bool HttpConnection::send_last_word() {
  std::string text;
  append_response(text, exchange_->refuse(Refusal::stopping), Framing{.keep_alive = false, .head = answers_head_},
                  serving_.date.at(std::time(nullptr)));
  const auto sent = ::send(socket_.native_handle(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(text.size());
}

bool HttpConnection::input_is_waiting() {
  error_code ec;
  return input_.size() > 0 || (socket_.is_open() && socket_.available(ec) > 0);
}

Task<bool> HttpConnection::serve_request() {
  RequestParser parser(serving_.limits.header_bytes);
  const Reading head = co_await read_head(parser);
  if (head == Reading::gone) co_return false;
  if (head != Reading::complete) salvage_head(parser);
  const std::unique_ptr<Exchange> exchange = serving_.application.begin(parser.request);
  exchange_ = exchange.get();
  answers_head_ = parser.request.method == Method::head;
  Outcome outcome;
  if (head == Reading::complete) {
    outcome = co_await answer(parser, *exchange);
  } else {
    outcome.response = exchange->refuse(head == Reading::too_large ? Refusal::head_too_large : Refusal::malformed);
    lingers_ = true;
  }
  outcome.keep_alive = outcome.keep_alive && !serving_.draining;
  const Framing framing{.keep_alive = outcome.keep_alive, .http_1_1 = parser.http_1_1, .head = answers_head_};
  bool sent = last_word_sent_;
  if (!outcome.gone && !cut_) sent = co_await write(outcome.response, framing);
  exchange_ = nullptr;
  exchange->finished(outcome.response, sent);
  co_return sent&& outcome.keep_alive && !cut_;
}

// Until the first bytes of a request are there; false: none is to come. Most connections wait here most of the time, so
// nothing that a request needs is there yet.
Task<bool> HttpConnection::await_request() {
  idle_ = input_.size() == 0;
  if (idle_ && input_.capacity() > kept_input_bytes) input_.shrink_to_fit();
  if (serving_.draining && !input_is_waiting()) co_return false;
  waited_ = false;
  deadline_->expires_after(serving_.limits.idle_timeout);
  const bool came = !idle_ || co_await receive();
  idle_ = false;
  // Who always has a request waiting does not keep the thread from the others.
  if (came && !waited_) co_await asio::post(socket_.get_executor(), asio::use_awaitable_t<Executor>{});
  co_return came && !cut_;
}

Task<Reading> HttpConnection::read_head(RequestParser& parser) {
  deadline_->expires_after(serving_.limits.header_timeout);
  std::size_t parsed = 0;
  Reading reading = parse_head(parser, parsed);
  while (reading == Reading::unfinished) {
    if (!co_await receive()) co_return Reading::gone;
    reading = parse_head(parser, parsed);
  }
  co_return reading;
}

// Goes on with the head at `parsed`. The head stays in the buffer until it is complete, for check_head().
Reading HttpConnection::parse_head(RequestParser& parser, std::size_t& parsed) {
  if (parsed == 0) skip_empty_lines();
  if (input_.size() == parsed) return Reading::unfinished;
  error_code ec;
  parsed += parser.put(input_.data() + parsed, ec);
  const std::size_t head_bytes = parser.is_header_done() ? parsed : input_.size();
  if (ec == beast::http::error::header_limit || head_bytes > serving_.limits.header_bytes) return Reading::too_large;
  if (ec && ec != beast::http::error::need_more) return Reading::broken;
  // Beast would wait for the end of a head whose last line ends in LF only.
  const std::string_view text(static_cast<const char*>(input_.data().data()), input_.size());
  if (!parser.is_header_done()) return has_bare_line_feed(text.substr(parsed)) ? Reading::broken : Reading::unfinished;
  const std::string_view raw = text.substr(0, parsed);
  if (!check_head(parser.request, parser.http_1_1, raw)) return Reading::broken;
  input_.consume(parsed);
  return Reading::complete;
}

// Reads of a head that is refused what came whole, so that the answer can have the request's id and CORS headers. Anew,
// because Beast's parser looks at no field any more once it waits for the end of the head.
void HttpConnection::salvage_head(RequestParser& parser) {
  RequestParser again(serving_.limits.header_bytes);
  error_code ignored;
  again.put(input_.data(), ignored);
  parser.request = std::move(again.request);
  split_target(parser.request);
}

// RFC 9112, 2.2: empty lines before a request are ignored.
void HttpConnection::skip_empty_lines() {
  const std::string_view text(static_cast<const char*>(input_.data().data()), input_.size());
  std::size_t empty = 0;
  while (text.substr(empty).starts_with("\r\n")) empty += 2;
  input_.consume(empty);
}

Task<Outcome> HttpConnection::answer(RequestParser& parser, Exchange& exchange) {
  Outcome outcome;
  outcome.keep_alive = parser.keep_alive();
  std::exception_ptr failure;
  try {
    co_await converse(parser, exchange, outcome);
  } catch (...) {
    failure = std::current_exception();
  }
  if (cut_) {
    outcome.response.status = 503;
    outcome.gone = true;
  } else if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& cause) {
      outcome.response = exchange.fail_unexpected(cause);
    } catch (...) {
      outcome.response = exchange.fail_unexpected(std::runtime_error("an exception of unknown type"));
    }
  }
  if (!parser.is_done()) {
    outcome.keep_alive = false;
    lingers_ = true;
  }
  co_return outcome;
}

// The parts of an exchange in their order, up to the response.
Task<> HttpConnection::converse(RequestParser& parser, Exchange& exchange, Outcome& outcome) {
  std::optional<Response> refusal = exchange.admit();
  if (!refusal && exchange.must_wait()) refusal = co_await exchange.admit_after_wait();
  if (refusal) {
    outcome.response = std::move(*refusal);
    if (outcome.response.status == 503) drop_body(parser);
    co_return;
  }
  Reading body = Reading::complete;
  if (parser.content_length().value_or(0) > exchange.body_limit()) {
    body = Reading::too_large;
  } else if (!parser.is_done()) {
    body = co_await read_body(parser, exchange.body_limit());
  }
  if (body == Reading::complete) {
    outcome.response = co_await exchange.handle();
  } else if (body == Reading::too_large) {
    outcome.response = exchange.refuse(Refusal::body_too_large);
  } else if (body == Reading::broken) {
    outcome.response = exchange.refuse(Refusal::malformed);
  } else {
    outcome.response.status = 400;
    outcome.gone = true;
  }
}

Task<Reading> HttpConnection::read_body(RequestParser& parser, std::size_t limit) {
  parser.body_limit(limit);
  parser.eager(true);
  if (!co_await invite_body(parser)) co_return Reading::gone;
  deadline_->expires_after(serving_.limits.body_timeout);
  Reading reading = parse_body(parser);
  while (reading == Reading::unfinished) {
    if (!co_await receive()) co_return Reading::gone;
    reading = parse_body(parser);
  }
  co_return reading;
}

// Of a request that overload refuses, if it has come with the head: the connection goes on, which costs less than a
// new one when there is too much to do already.
void HttpConnection::drop_body(RequestParser& parser) {
  const auto length = parser.content_length();
  if (parser.is_done() || !length || *length > input_.size()) return;
  parser.eager(true);
  parse_body(parser);
}

Reading HttpConnection::parse_body(RequestParser& parser) {
  const error_code ec = feed(parser, input_, serving_.limits.header_bytes);
  if (ec == beast::http::error::body_limit) return Reading::too_large;
  if (ec) return Reading::broken;
  if (parser.is_done()) {
    parser.request.body = std::move(parser.body);
    return Reading::complete;
  }
  // What is left is the line of a chunk or a trailer, or too little to be looked at. Beast would wait for the CR of a
  // line that has only LF.
  const std::string_view left(static_cast<const char*>(input_.data().data()), input_.size());
  return left.size() >= least_of_chunks && has_bare_line_feed(left) ? Reading::broken : Reading::unfinished;
}

// Answers "Expect: 100-continue", unless the body is coming anyway.
Task<bool> HttpConnection::invite_body(const RequestParser& parser) {
  const std::string* expect = parser.request.header("Expect");
  const bool awaited = expect != nullptr && equal_ignoring_case(*expect, "100-continue");
  if (!awaited || !parser.http_1_1 || input_.size() > 0) co_return true;
  static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  deadline_->expires_after(serving_.limits.write_timeout);
  error_code ec;
  const Deadline::Wait wait(*deadline_);
  co_await asio::async_write(socket_, asio::buffer(text), into(ec));
  co_return !ec;
}

// Waits for more input; false if there is none to come, or the deadline passed.
Task<bool> HttpConnection::receive() {
  error_code ec;
  std::size_t received = socket_.read_some(asio::buffer(serving_.input), ec);
  // More than once: readiness may be that for bytes which the last read already took.
  while (ec == asio::error::would_block) {
    waited_ = true;
    const Deadline::Wait wait(*deadline_);
    co_await socket_.async_wait(tcp::socket::wait_read, into(ec));
    if (!ec) received = socket_.read_some(asio::buffer(serving_.input), ec);
  }
  if (!ec) input_.commit(asio::buffer_copy(input_.prepare(received), asio::buffer(serving_.input, received)));
  co_return !ec;
}

// Leaves the response without its body: while the client takes its time, one copy is enough.
Task<bool> HttpConnection::write(Response& response, const Framing& framing) {
  std::string& text = serving_.output;
  text.clear();
  append_response(text, response, framing, serving_.date.at(std::time(nullptr)));
  response.body = {};
  error_code ec;
  // Nearly always the socket takes it all, and there is nothing to wait for.
  const std::size_t sent = socket_.write_some(asio::buffer(text), ec);
  if (ec == asio::error::would_block) ec = {};
  if (!ec && sent < text.size()) unsent_.assign(text, sent);
  if (text.capacity() > kept_output_bytes) text = {};
  if (!unsent_.empty()) ec = co_await write_rest();
  co_return !ec;
}

Task<error_code> HttpConnection::write_rest() {
  const Unsent held(unsent_.size());
  if (held.is_too_much()) co_return asio::error::no_buffer_space;
  deadline_->expires_after(serving_.limits.write_timeout);
  const Deadline::Wait wait(*deadline_);
  error_code ec;
  writing_ = true;
  co_await asio::async_write(socket_, asio::buffer(unsent_), into(ec));
  writing_ = false;
  unsent_ = {};
  co_return ec;
}

// A socket closed over unread input resets the connection, and the client may lose the answer.
Task<> HttpConnection::linger() {
  error_code ec;
  socket_.shutdown(tcp::socket::shutdown_send, ec);
  deadline_->expires_after(serving_.limits.linger_timeout);
  std::size_t dropped = 0;
  while (dropped < serving_.limits.linger_bytes) {
    input_.clear();
    if (!co_await receive()) break;
    dropped += input_.size();
  }
}

}  // namespace

std::unique_ptr<Connection> make_connection(Socket socket, Serving& serving) {
  return std::make_unique<HttpConnection>(std::move(socket), serving);
}

}  // namespace call_service::http
