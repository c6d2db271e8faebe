#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstring>
#include <memory>

#include "doctor/checks.hpp"
#include "wire/json.hpp"

namespace call_service::doctor {

namespace {

namespace asio = boost::asio;
using State = Service::State;

const std::string area = "service";
constexpr Milliseconds answer_within{4500};

std::string place(const std::string& host, int port) {
  const bool is_v6 = host.contains(':') && !host.starts_with('[');
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

// Where to find what listens on all addresses.
std::string local_address(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  return host == "::" || host == "[::]" ? "::1" : host;
}

std::expected<http::ClientResponse, http::ClientError> ask_ready(const std::string& host, int port) {
  const auto origin = http::Origin::parse("http://" + place(local_address(host), port));
  if (!origin) return std::unexpected(http::ClientError{.what = "no address"});
  asio::io_context context{1};
  http::Client client(context.get_executor(), *origin);
  std::expected<http::ClientResponse, http::ClientError> answer;
  const auto keep = [&](const std::exception_ptr& error, std::expected<http::ClientResponse, http::ClientError> value) {
    if (error) std::rethrow_exception(error);
    answer = std::move(value);
  };
  asio::co_spawn(context, client.send({.method = http::Method::get, .path = "/ready"}, answer_within), keep);
  context.run();
  return answer;
}

// Why nobody could listen there; empty if somebody could.
std::string fault_of_listening(const std::string& host, int port) {
  std::string name = host;
  if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found); failed != 0) {
    return ::gai_strerror(failed);
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> address(found, ::freeaddrinfo);
  const int socket = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return std::strerror(errno);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool can_bind = ::bind(socket, address->ai_addr, address->ai_addrlen) == 0;
  std::string fault = can_bind ? "" : std::strerror(errno);
  ::close(socket);
  return fault;
}

std::string text_of(wire::JsonView object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->kind() == wire::JsonKind::string ? std::string(member->text()) : "";
}

// The checks that failed, with what the service says of them.
std::string failed_checks(wire::JsonView checks) {
  std::string text;
  checks.for_each_member([&](std::string_view name, wire::JsonView check) {
    if (check.kind() != wire::JsonKind::object || text_of(check, "status") != "failed" || name == "livekit") return;
    text.append(text.empty() ? "" : "; ").append(name).append(": ").append(text_of(check, "detail"));
  });
  return text;
}

void read_webhooks(wire::JsonView webhooks, Service& service) {
  const auto accepted_at = parse_timestamp(text_of(webhooks, "last_accepted_at"));
  service.has_accepted = accepted_at.has_value();
  service.last_rejected_at = parse_timestamp(text_of(webhooks, "last_rejected_at"));
  if (service.last_rejected_at && (!accepted_at || *accepted_at < *service.last_rejected_at)) {
    service.last_rejection = text_of(webhooks, "last_rejection");
  }
}

// Nothing: what answered is not this service.
std::optional<Service> read_ready(std::string_view body) {
  const auto document = wire::JsonDocument::parse(body);
  if (!document || document->root().kind() != wire::JsonKind::object) return std::nullopt;
  const auto checks = document->root().find("checks");
  if (!checks || checks->kind() != wire::JsonKind::object) return std::nullopt;
  const auto webhooks = checks->find("webhooks");
  if (!webhooks || webhooks->kind() != wire::JsonKind::object) return std::nullopt;
  Service service{.state = State::running, .is_ready = text_of(document->root(), "status") == "ready"};
  service.not_ready = failed_checks(*checks);
  read_webhooks(*webhooks, service);
  return service;
}

}  // namespace

Service find_service(const std::string& host, int port) {
  const auto answer = ask_ready(host, port);
  if (answer) return read_ready(answer->body).value_or(Service{.state = State::occupied});
  std::string fault = fault_of_listening(host, port);
  if (fault.empty()) return {.state = State::free};
  return {.state = fault == std::strerror(EADDRINUSE) ? State::occupied : State::unusable, .fault = std::move(fault)};
}

Findings check_service(const Service& service, const std::string& host, int port) {
  const std::string where = place(host, port);
  switch (service.state) {
    case State::running:
      if (service.is_ready) return {{Level::ok, area, "runs on " + where + " and is ready", ""}};
      return {{Level::problem, area, "runs on " + where + " but is not ready: " + service.not_ready,
               "See the findings on database and schema."}};
    case State::free:
      return {{Level::ok, area, "does not run; " + where + " is free", ""}};
    case State::occupied:
      return {{Level::problem, area, "another program listens on " + where,
               "Stop it, or choose another PORT. Which one it is: ss -ltnp"}};
    case State::unusable:
      return {{Level::problem, area, "cannot listen on " + where + ": " + service.fault,
               "HOST must be an address of this machine, and a PORT below 1024 needs the right to use it."}};
  }
  return {};
}

}  // namespace call_service::doctor
