#include <CLI/CLI.hpp>
#include <iostream>
#include <random>

#include "fake_livekit/fake.hpp"
#include "http/server.hpp"
#include "log.hpp"

namespace {

using namespace call_service;

constexpr int exit_failure = 1;
constexpr int exit_usage = 2;
constexpr std::int64_t max_seed = INT64_MAX;

constexpr auto help_footer =
    R"(RoomService, /rtc/validate and the health check answer on --port, as a LiveKit server would: give the
service under test LIVEKIT_URL=ws://HOST:PORT with this key and secret. Tests drive the fake by HTTP on
--control-port: they let participants join, leave and crash, and set faults. Both ports are in the line `listening`.

  curl -d '{"room":"r","identity":"ada"}' http://127.0.0.1:7879/control/join
  curl -d '{"fault":"drop","event":"participant_left","times":1}' http://127.0.0.1:7879/control/faults/webhooks

It is no media server, and nothing to put where others can reach it: the control port asks for no credential.)";

int run(int argc, char** argv) {
  fake_livekit::Options options;
  options.key = {"devkey", "0123456789abcdef0123456789abcdef"};
  options.seed = std::random_device()() % 1'000'000;
  int retry_wait = 1'000;
  bool no_auto_create = false;
  bool verbose = false;
  CLI::App cli{"A LiveKit server without media, for tests: it sends webhooks and fails as it is told.",
               "call-service-fake-livekit"};
  cli.set_version_flag("--version", "call-service-fake-livekit " CALL_SERVICE_VERSION);
  cli.add_option("--host", options.host, "where to listen")->capture_default_str();
  cli.add_option("--port", options.port, "LiveKit's port; 0: any free one")->capture_default_str();
  cli.add_option("--control-port", options.control_port, "the control API's port; 0: any free one")
      ->capture_default_str();
  cli.add_option("--key", options.key.key, "the API key")->capture_default_str();
  cli.add_option("--secret", options.key.secret, "the API key's secret; signs the webhooks, too")
      ->capture_default_str();
  cli.add_option("--webhook-url", options.webhook_url, "where to send webhooks; none without")->type_name("URL");
  cli.add_flag("--no-auto-create", no_auto_create, "who joins a room that does not exist is answered 404");
  cli.add_option("--webhook-retry-wait", retry_wait, "milliseconds before the second attempt, doubled for each further")
      ->check(CLI::Range(1, 60'000))
      ->capture_default_str();
  cli.add_option("--seed", options.seed, "makes ids and the choices of faults repeatable; without, a new one each time")
      ->check(CLI::Range(std::int64_t{0}, max_seed));
  cli.add_flag("--verbose", verbose, "log every request");
  cli.footer(help_footer);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : exit_usage;
  }
  options.auto_create = !no_auto_create;
  options.webhook_retry_wait = Milliseconds(retry_wait);
  log::configure(verbose ? log::Level::debug : log::Level::info, log::Format::json);
  fake_livekit::run(options);
  return 0;
}

int refuse(const std::exception& error, int status) {
  std::cerr << "call-service-fake-livekit: " << error.what() << "\n";
  log::flush();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const http::ListenError& error) {
    return refuse(error, exit_usage);
  } catch (const std::invalid_argument& error) {
    return refuse(error, exit_usage);
  } catch (const std::exception& error) {
    return refuse(error, exit_failure);
  }
}
