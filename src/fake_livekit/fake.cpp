#include "fake_livekit/fake.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <stdexcept>

#include "fake_livekit/application.hpp"
#include "fake_livekit/control.hpp"
#include "jose/jws.hpp"
#include "log.hpp"

namespace call_service::fake_livekit {
namespace {

constexpr Milliseconds tick_interval{100};

}  // namespace

class Fake::Parts {
 public:
  explicit Parts(const Options& options)
      : faults(options.seed),
        webhooks({.key = options.key, .first_wait = options.webhook_retry_wait}, faults, clock),
        world(clock, options.seed, [this](Event event) { webhooks.enqueue(std::move(event)); }),
        front(RoomService(world, options.key, clock), faults, clock),
        gate(options.host, options.port, front_application),
        control({.world = world,
                 .faults = faults,
                 .webhooks = webhooks,
                 .front = front,
                 .gate = gate,
                 .key = options.key,
                 .clock = clock}),
        control_server(make_server(options.host, options.control_port, control_application)) {
    world.set_auto_create(options.auto_create);
    if (options.webhook_url && !webhooks.set_url(options.webhook_url))
      throw std::invalid_argument("the webhook URL must be one of http or https");
    webhooks.every(tick_interval, [this] { world.tick(); });
    webhooks.start();
    control_server->start();
  }

  ~Parts() {
    control_server->stop();
    gate.close();
    webhooks.stop();
  }

  SystemClock clock;
  FaultBook faults;
  WebhookSender webhooks;
  World world;
  Front front;
  Application front_application{[this](const http::Request& request) { return front.answer(request); }};
  Gate gate;
  Control control;
  Application control_application{[this](const http::Request& request) { return control.answer(request); }};
  std::unique_ptr<http::Server> control_server;
};

Fake::Fake(const Options& options) : parts_(std::make_unique<Parts>(options)) {}
Fake::~Fake() = default;

std::uint16_t Fake::port() const {
  return parts_->gate.port();
}

std::uint16_t Fake::control_port() const {
  return parts_->control_server->port();
}

void run(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  jose::initialize();
  boost::asio::io_context context;
  boost::asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([](const boost::system::error_code&, int signal) { log::info("stopping", {{"signal", signal}}); });
  {
    const Fake fake(options);
    log::info("listening", {{"port", fake.port()},
                            {"control_port", fake.control_port()},
                            {"seed", static_cast<std::int64_t>(options.seed)},
                            {"version", CALL_SERVICE_VERSION}});
    log::flush();
    context.run();
  }
  log::info("stopped");
  log::flush();
}

}  // namespace call_service::fake_livekit
