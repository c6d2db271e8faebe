#include "http/server.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <vector>

#include "http/connection.hpp"
#include "log.hpp"
#include "metrics.hpp"

namespace call_service::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr std::chrono::milliseconds accept_pause{100};
// How long a handler may take to notice that it was cut off.
constexpr std::chrono::milliseconds unwind_timeout{2'000};

void log_failure(std::string_view event, const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& cause) {
    log::error(event, {{"cause", cause.what()}});
  } catch (...) {
    log::error(event, {{"cause", "an exception of unknown type"}});
  }
}

void set_port_sharing(Acceptor& acceptor) {
  const int on = 1;
  if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    throw boost::system::system_error(errno, boost::system::generic_category());
  }
}

// One serving thread. Everything but the constructor, start(), request_stop() and join() runs on it.
class Worker {
 public:
  Worker(Application& application, const Limits& limits)
      : serving_{.application = application, .limits = limits, .draining = false, .date = {}} {}

  // The first of several workers binds a port of its own, so that a port in use is found out, and shares it only then.
  void listen(const tcp::endpoint& endpoint, bool first, bool shared);
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void start();
  void request_stop();
  void join();
  std::size_t cut_off() const { return cut_off_; }
  // False after join() if a handler neither ended nor let itself be cut off.
  bool ended() const { return tasks_ == 0; }

 private:
  struct Client {
    std::unique_ptr<Connection> connection;
    asio::cancellation_signal cut;
  };

  void run();
  void spawn_accepting();
  Task<> accept();
  void admit(Socket socket);
  void begin_drain();
  void admit_queue();
  void cut_all();
  void end_task();

  asio::io_context context_{1};
  Acceptor acceptor_{context_};
  Timer pause_{context_};
  Timer deadline_{context_};
  Serving serving_;
  std::list<Client> clients_;
  std::size_t tasks_ = 0;  // coroutines that run: the accepting one and one a client
  std::size_t cut_off_ = 0;
  std::thread thread_;
};

void Worker::listen(const tcp::endpoint& endpoint, bool first, bool shared) {
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(Acceptor::reuse_address(true));
  if (shared && !first) set_port_sharing(acceptor_);
  acceptor_.bind(endpoint);
  if (shared && first) set_port_sharing(acceptor_);
  acceptor_.listen(asio::socket_base::max_listen_connections);
}

void Worker::start() {
  spawn_accepting();
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  for (bool running = true; running;) {
    try {
      context_.run();
      running = false;
    } catch (...) {
      log_failure("serving_thread_goes_on", std::current_exception());
    }
  }
}

void Worker::spawn_accepting() {
  ++tasks_;
  asio::co_spawn(context_, accept(), [this](const std::exception_ptr& failure) {
    log_failure("accepting_failed", failure);
    if (failure && !serving_.draining) spawn_accepting();
    end_task();
  });
}

Task<> Worker::accept() {
  bool failing = false;
  while (!serving_.draining) {
    error_code ec;
    Socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable_t<Executor>{}, ec));
    if (!ec) {
      admit(std::move(socket));
    } else if (!serving_.draining && ec != asio::error::connection_aborted) {
      if (!failing) log::warning("cannot_accept_connections", {{"cause", ec.message()}});
      pause_.expires_after(accept_pause);
      error_code ignored;
      co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable_t<Executor>{}, ignored));
    }
    failing = static_cast<bool>(ec);
  }
}

void Worker::admit(Socket socket) {
  error_code ec;
  socket.set_option(tcp::no_delay(true), ec);
  Client& client = clients_.emplace_back();
  const auto place = std::prev(clients_.end());
  client.connection = make_connection(std::move(socket), serving_);
  metrics::series().connections.add(1);
  ++tasks_;
  // The signal's slot is in use until the completion handler has returned: hence the post.
  asio::co_spawn(context_, client.connection->serve(),
                 asio::bind_cancellation_slot(client.cut.slot(), [this, place](const std::exception_ptr& failure) {
                   if (!serving_.draining) log_failure("connection_failed", failure);
                   asio::post(context_, [this, place] {
                     clients_.erase(place);
                     metrics::series().connections.add(-1);
                     end_task();
                   });
                 }));
}

void Worker::request_stop() {
  asio::post(context_, [this] { begin_drain(); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::begin_drain() {
  serving_.draining = true;
  admit_queue();
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  for (Client& client : clients_) client.connection->drain();
  deadline_.expires_after(serving_.limits.drain_timeout);
  deadline_.async_wait([this](error_code ec) {
    if (!ec) cut_all();
  });
}

// Whoever waits to be accepted is connected, as far as they know, and may have sent a request.
void Worker::admit_queue() {
  error_code ec;
  acceptor_.non_blocking(true, ec);
  for (int i = 0; !ec && i < asio::socket_base::max_listen_connections; ++i) {
    Socket socket = acceptor_.accept(ec);
    if (!ec) admit(std::move(socket));
  }
}

void Worker::cut_all() {
  for (Client& client : clients_) {
    if (client.connection->cut()) ++cut_off_;
    client.cut.emit(asio::cancellation_type::terminal);
  }
  deadline_.expires_after(unwind_timeout);
  deadline_.async_wait([this](error_code ec) {
    if (!ec) context_.stop();
  });
}

// What else may wait on the context does not keep it once the last connection has ended.
void Worker::end_task() {
  --tasks_;
  if (tasks_ == 0 && serving_.draining) context_.stop();
}

tcp::endpoint resolve(const std::string& host, std::uint16_t port) {
  asio::io_context context;
  tcp::resolver resolver(context);
  return resolver.resolve(host, std::to_string(port), tcp::resolver::passive).begin()->endpoint();
}

}  // namespace

class Server::Impl {
 public:
  Impl(Options options, Application& application);
  ~Impl();
  std::uint16_t port() const { return port_; }
  void start();
  std::size_t stop();

 private:
  const Options options_;
  std::uint16_t port_ = 0;
  bool running_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
};

Server::Impl::Impl(Options options, Application& application) : options_(std::move(options)) {
  try {
    tcp::endpoint endpoint = resolve(options_.host, options_.port);
    const std::size_t threads = std::max<std::size_t>(options_.threads, 1);
    while (workers_.size() < threads) {
      auto worker = std::make_unique<Worker>(application, options_.limits);
      worker->listen(endpoint, workers_.empty(), threads > 1);
      endpoint.port(worker->port());
      workers_.push_back(std::move(worker));
    }
    port_ = endpoint.port();
  } catch (const boost::system::system_error& cause) {
    throw ListenError("cannot listen on " + options_.host + ":" + std::to_string(options_.port) + ": " +
                      cause.code().message() + (options_.remedy.empty() ? "" : "; " + options_.remedy));
  }
}

Server::Impl::~Impl() {
  stop();
  for (auto& worker : workers_) {
    if (worker->ended()) continue;
    // Whatever still holds the handler's frame will touch the thread's objects when it lets go of it.
    log::error("request_left_behind");  // it did not end when it was cut off
    std::ignore = worker.release();     // NOLINT(bugprone-unused-return-value): left behind
  }
}

void Server::Impl::start() {
  running_ = true;
  for (const auto& worker : workers_) worker->start();
}

// The workers' contexts outlive the stop: somebody may still hand a finished command back to one.
std::size_t Server::Impl::stop() {
  std::size_t cut_off = 0;
  if (running_) {
    for (const auto& worker : workers_) worker->request_stop();
  }
  for (auto& worker : workers_) {
    worker->join();
    cut_off += worker->cut_off();
  }
  running_ = false;
  return cut_off;
}

Server::Server(Options options, Application& application)
    : impl_(std::make_unique<Impl>(std::move(options), application)) {}
Server::~Server() = default;
std::uint16_t Server::port() const {
  return impl_->port();
}
void Server::start() {
  impl_->start();
}
std::size_t Server::stop() {
  return impl_->stop();
}

}  // namespace call_service::http
