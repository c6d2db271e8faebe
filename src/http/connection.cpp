#include "http/connection.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <ctime>
#include <stdexcept>

#include "http/request_head.hpp"
#include "http/text.hpp"

namespace call_service::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t head_read_bytes = 4 * 1024;
constexpr std::size_t body_read_bytes = 16 * 1024;
constexpr std::size_t kept_output_bytes = 64 * 1024;

auto into(error_code& ec) {
  return asio::redirect_error(asio::use_awaitable_t<Executor>{}, ec);
}

// Reads one request into a Request. Trailer fields are checked and dropped.
class RequestParser final : public beast::http::basic_parser<true> {
 public:
  explicit RequestParser(std::size_t header_bytes) {
    header_limit(static_cast<std::uint32_t>(header_bytes + 1));  // one more: the whole head is measured by its reader
    body_limit(boost::none);
  }

  Request request;
  bool http_1_1 = true;

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                       error_code&) override {
    request.method = method_named(method);
    request.target = target;
    http_1_1 = version == 11;
  }
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, error_code&) override {
    if (!in_body_) request.headers.emplace_back(name, value);
  }
  void on_header_impl(error_code&) override { in_body_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    if (length) request.body.reserve(std::min<std::size_t>(*length, 256 * 1024));
  }
  std::size_t on_body_impl(beast::string_view part, error_code&) override {
    request.body.append(part);
    return part.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view part, error_code&) override {
    request.body.append(part);
    return part.size();
  }
  void on_finish_impl(error_code&) override {}

  bool in_body_ = false;
};

enum class Reading { complete, unfinished, broken, too_large, gone };

// What came of one exchange.
struct Outcome {
  Response response;
  bool keep_alive = false;
  bool gone = false;  // nobody is there to be answered; the response is for the log
};

class HttpConnection final : public Connection {
 public:
  HttpConnection(Socket socket, Serving& serving) : stream_(std::move(socket)), serving_(serving) {}

  Task<> serve() override;
  void drain() override;
  bool cut() override;

 private:
  Task<bool> serve_request();
  Task<Reading> read_head(RequestParser& parser);
  Reading parse_head(RequestParser& parser, std::size_t& parsed);
  Task<Reading> read_body(RequestParser& parser, std::size_t limit);
  Reading parse_body(RequestParser& parser);
  Task<Outcome> answer(RequestParser& parser, Exchange& exchange);
  Task<> converse(RequestParser& parser, Exchange& exchange, Outcome& outcome);
  Task<> refuse(int status);
  Task<bool> receive(std::size_t at_most);
  Task<bool> write(const Response& response, const Framing& framing);
  Task<bool> invite_body(const RequestParser& parser);
  Task<> linger();

  void skip_empty_lines();
  bool input_is_waiting();

  beast::basic_stream<tcp, Executor> stream_;
  Serving& serving_;
  beast::flat_buffer input_;
  std::string output_;
  bool idle_ = true;         // no byte of a request has come
  bool in_request_ = false;  // an exchange has begun and is not finished
  bool lingers_ = false;     // the client may still be sending when the connection is closed
  bool cut_ = false;
};

Task<> HttpConnection::serve() {
  bool more = true;
  while (more) more = co_await serve_request();
  if (!cut_ && (lingers_ || input_is_waiting())) co_await linger();
  stream_.close();
}

void HttpConnection::drain() {
  if (idle_ && !input_is_waiting()) stream_.close();
}

bool HttpConnection::cut() {
  cut_ = true;
  stream_.close();
  return in_request_;
}

bool HttpConnection::input_is_waiting() {
  error_code ec;
  return input_.size() > 0 || (stream_.socket().is_open() && stream_.socket().available(ec) > 0);
}

Task<bool> HttpConnection::serve_request() {
  RequestParser parser(serving_.limits.header_bytes);
  const Reading head = co_await read_head(parser);
  if (head == Reading::gone) co_return false;
  if (head != Reading::complete) {
    co_await refuse(head == Reading::too_large ? 431 : 400);
    co_return false;
  }
  const std::unique_ptr<Exchange> exchange = serving_.application.begin(parser.request);
  in_request_ = true;
  Outcome outcome = co_await answer(parser, *exchange);
  outcome.keep_alive = outcome.keep_alive && !serving_.draining;
  const Framing framing{
      .keep_alive = outcome.keep_alive, .http_1_1 = parser.http_1_1, .head = parser.request.method == Method::head};
  bool sent = false;
  if (!outcome.gone && !cut_) sent = co_await write(outcome.response, framing);
  in_request_ = false;
  exchange->finished(outcome.response, sent);
  co_return sent&& outcome.keep_alive && !cut_;
}

Task<Reading> HttpConnection::read_head(RequestParser& parser) {
  idle_ = input_.size() == 0;
  if (idle_ && serving_.draining) co_return Reading::gone;
  stream_.expires_after(idle_ ? serving_.limits.idle_timeout : serving_.limits.header_timeout);
  std::size_t parsed = 0;
  Reading reading = idle_ ? Reading::unfinished : parse_head(parser, parsed);
  while (reading == Reading::unfinished) {
    if (!co_await receive(head_read_bytes)) co_return Reading::gone;
    if (idle_) stream_.expires_after(serving_.limits.header_timeout);
    idle_ = false;
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
  if (!parser.is_header_done()) return Reading::unfinished;
  const std::string_view raw(static_cast<const char*>(input_.data().data()), parsed);
  const bool valid = check_head(parser.request, parser.http_1_1, raw);
  input_.consume(parsed);
  return valid ? Reading::complete : Reading::broken;
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
  if (failure && cut_) {
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
  if (refusal) {
    outcome.response = std::move(*refusal);
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
    outcome.response = exchange.body_too_large();
  } else if (body == Reading::broken) {
    outcome.response = serving_.application.refuse_malformed(400);
  } else {
    outcome.response.status = 400;
    outcome.gone = true;
  }
}

Task<Reading> HttpConnection::read_body(RequestParser& parser, std::size_t limit) {
  parser.body_limit(limit);
  parser.eager(true);
  if (!co_await invite_body(parser)) co_return Reading::gone;
  stream_.expires_after(serving_.limits.body_timeout);
  Reading reading = parse_body(parser);
  while (reading == Reading::unfinished) {
    if (!co_await receive(body_read_bytes)) co_return Reading::gone;
    reading = parse_body(parser);
  }
  co_return reading;
}

Reading HttpConnection::parse_body(RequestParser& parser) {
  // Beast's reader of chunks asserts five bytes; whatever is missing of a chunked body is at least "0\r\n\r\n".
  const std::size_t needed = parser.chunked() ? 5 : 1;
  if (input_.size() < needed) return Reading::unfinished;
  error_code ec;
  input_.consume(parser.put(input_.data(), ec));
  if (ec == beast::http::error::body_limit) return Reading::too_large;
  if (ec && ec != beast::http::error::need_more) return Reading::broken;
  if (parser.is_done()) return Reading::complete;
  // What is left is the line of a chunk or the trailers, limited like a head.
  return input_.size() > serving_.limits.header_bytes ? Reading::broken : Reading::unfinished;
}

// Answers "Expect: 100-continue", unless the body is coming anyway.
Task<bool> HttpConnection::invite_body(const RequestParser& parser) {
  const std::string* expect = parser.request.header("Expect");
  const bool awaited = expect != nullptr && equal_ignoring_case(*expect, "100-continue");
  if (!awaited || !parser.http_1_1 || input_.size() > 0) co_return true;
  static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.expires_after(serving_.limits.write_timeout);
  error_code ec;
  co_await asio::async_write(stream_, asio::buffer(text), into(ec));
  co_return !ec;
}

Task<> HttpConnection::refuse(int status) {
  const Response response = serving_.application.refuse_malformed(status);
  lingers_ = true;
  co_await write(response, Framing{.keep_alive = false});
}

// Waits for more input; false if there is none to come, or the deadline passed.
Task<bool> HttpConnection::receive(std::size_t at_most) {
  error_code ec;
  const auto space = input_.prepare(at_most);
  const std::size_t received = co_await stream_.async_read_some(space, into(ec));
  input_.commit(received);
  co_return !ec;
}

Task<bool> HttpConnection::write(const Response& response, const Framing& framing) {
  output_.clear();
  append_response(output_, response, framing, serving_.date.at(std::time(nullptr)));
  stream_.expires_after(serving_.limits.write_timeout);
  error_code ec;
  co_await asio::async_write(stream_, asio::buffer(output_), into(ec));
  if (output_.capacity() > kept_output_bytes) output_ = {};
  co_return !ec;
}

// A socket closed over unread input resets the connection, and the client may lose the answer.
Task<> HttpConnection::linger() {
  error_code ec;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ec);
  stream_.expires_after(serving_.limits.linger_timeout);
  std::size_t dropped = 0;
  while (dropped < serving_.limits.linger_bytes) {
    input_.clear();
    if (!co_await receive(body_read_bytes)) break;
    dropped += input_.size();
  }
}

}  // namespace

std::unique_ptr<Connection> make_connection(Socket socket, Serving& serving) {
  return std::make_unique<HttpConnection>(std::move(socket), serving);
}

}  // namespace call_service::http
