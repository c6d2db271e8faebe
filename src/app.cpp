#include "app.hpp"

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <optional>
#include <system_error>

#include "api/application.hpp"
#include "background.hpp"
#include "database/engine.hpp"
#include "database/errors.hpp"
#include "database/migrations/migrator.hpp"
#include "database/repositories/call_repository.hpp"
#include "database/repositories/outbox_repository.hpp"
#include "database/repositories/user_repository.hpp"
#include "database/sqlite/file_lock.hpp"
#include "database/url.hpp"
#include "http/server.hpp"
#include "jose/jws.hpp"
#include "log.hpp"
#include "middlewares/authorization.hpp"
#include "services/call_service.hpp"
#include "services/webhook_service.hpp"

namespace call_service {

class App::Parts {
 public:
  explicit Parts(const Config& config, db::Database database)
      : engine(database.dialect, database.options, database.connect),
        livekit(config),
        background({.calls = calls,
                    .outbox = outbox,
                    .livekit_health = livekit_health,
                    .clock = clock,
                    .livekit_origin = *http::Origin::parse(config.livekit_url),
                    .livekit_key = {config.livekit_api_key, config.livekit_api_secret}}),
        call_service(calls, livekit, clock, [this] { background.wake_outbox(); }),
        webhook_service(calls, clock, [this] { background.wake_outbox(); }),
        authorizer(config, clock),
        cors(config.cors_allow_origins),
        webhook_authorization(config, clock, webhook_history),
        server({.host = config.host, .port = config.port, .threads = static_cast<std::size_t>(config.workers)},
               application) {}

  // Whatever happened, nobody hands a command back to what is gone.
  ~Parts() {
    background.stop();
    engine.stop();
  }

  SystemClock clock;
  db::Engine engine;
  repositories::UserRepository users{engine};
  repositories::CallRepository calls{engine};
  repositories::OutboxRepository outbox{engine};

  services::LivekitHealth livekit_health;
  services::WebhookHistory webhook_history;
  services::LivekitService livekit;
  Background background;
  services::CallService call_service;
  services::WebhookService webhook_service;
  services::ReadinessService readiness{users, livekit_health, webhook_history};

  middlewares::Authorizer authorizer;
  middlewares::Cors cors;
  middlewares::WebhookAuthorization webhook_authorization;
  api::Services services{call_service, webhook_service, readiness};
  api::Application application{{services, authorizer, cors, webhook_authorization, clock}};
  http::Server server;
};

App::App(const Config& config)
    : parts_(std::make_unique<Parts>(config, db::open_database(config.database_url, config.database_schema))) {}

App::~App() = default;

void App::run() {
  boost::asio::io_context signals_context;
  boost::asio::signal_set signals(signals_context, SIGTERM, SIGINT);
  signals.async_wait([](const boost::system::error_code&, int signal) { log::info("stopping", {{"signal", signal}}); });

  parts_->background.start();
  parts_->server.start();
  log::info("listening", {{"port", parts_->server.port()}, {"version", CALL_SERVICE_VERSION}});
  log::flush();

  signals_context.run();
  const std::size_t cut_off = parts_->server.stop();
  parts_->background.stop();
  parts_->engine.stop();
  log::info("stopped", {{"requests_cut_off", cut_off}});
  log::flush();
}

namespace {

int refuse(const std::string& why) {
  std::cerr << "call-service: " << why << "\n";
  return exit_configuration;
}

// Nothing: the schema is as the service needs it.
std::optional<std::string> prepare_schema(const Config& config) {
  const SystemClock clock;
  const auto database = db::open_database(config.database_url, config.database_schema);
  const auto connection = database.connect(db::ConnectionRole::write);
  db::Migrator migrator(*connection, clock);
  if (config.migrate_on_start) {
    if (const auto fault = db::foreign_tables_fault(migrator)) return fault;
    migrator.upgrade();
  }
  return db::schema_fault(migrator);
}

}  // namespace

int serve(const Config& config) {
  std::signal(SIGPIPE, SIG_IGN);
  jose::initialize();
  for (const auto& warning : config_warnings(config)) log::warning("configuration", {{"warning", warning}});
  std::optional<db::sqlite::FileLock> lock;
  if (const auto path = db::sqlite_path(config.database_url)) {
    lock = db::sqlite::FileLock::acquire(*path, Milliseconds(0));
    if (!lock)
      return refuse("another process serves " + *path + " (it holds " + *path + ".lock); a SQLite file serves one");
  }
  if (const auto fault = prepare_schema(config)) return refuse(*fault);
  App app(config);
  app.run();
  return exit_ok;
}

}  // namespace call_service
