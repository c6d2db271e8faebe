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
#include "database/repositories/retention_repository.hpp"
#include "database/repositories/revision_repository.hpp"
#include "database/repositories/room_creation_repository.hpp"
#include "database/repositories/statistics_repository.hpp"
#include "database/repositories/user_repository.hpp"
#include "database/sqlite/file_lock.hpp"
#include "database/url.hpp"
#include "http/server.hpp"
#include "jose/jws.hpp"
#include "log.hpp"
#include "middlewares/authorization.hpp"
#include "service_manager.hpp"
#include "services/call_service.hpp"
#include "services/webhook_service.hpp"

namespace call_service {

namespace {

services::ReadinessService::Jwks jwks_source(const Config& config, const services::JwksService* jwks) {
  const bool has_others = !config.auth_api_keys.empty() || config.auth_jwt_secret || config.auth_jwt_secret_previous;
  return {.service = jwks, .is_only_credential = !has_others};
}

std::vector<std::string> known_revisions(db::Dialect::Kind kind) {
  std::vector<std::string> revisions;
  for (auto& migration : db::migrations(kind)) revisions.push_back(std::move(migration.revision));
  return revisions;
}

std::optional<services::RoomCreator::Settings> room_settings(const Config& config,
                                                             const services::LivekitService& livekit) {
  if (config.livekit_room_creation != RoomCreation::on_start) return std::nullopt;
  return services::RoomCreator::Settings{.empty_timeout = livekit.empty_timeout(),
                                         .departure_timeout = livekit.departure_timeout()};
}

}  // namespace

class App::Parts {
 public:
  explicit Parts(const Config& config, db::Database database)
      : engine(database.dialect, database.options, database.connect),
        livekit(config),
        jwks(config.auth_jwks_url ? std::make_unique<services::JwksService>(clock, [this] { background.wake_jwks(); })
                                  : nullptr),
        background({.calls = calls,
                    .open_calls = open_calls,
                    .outbox = outbox,
                    .leases = leases,
                    .statistics = statistics,
                    .retention = retention,
                    .room_creations = room_creations,
                    .call_turns = call_turns,
                    .livekit_health = livekit_health,
                    .clock = clock,
                    .livekit_origin = *http::Origin::parse(config.livekit_url),
                    .livekit_key = {config.livekit_api_key, config.livekit_api_secret},
                    // A SQLite file serves one process.
                    .lease_owner = config.uses_sqlite() ? std::nullopt : std::optional(make_uuid_v7(clock.now())),
                    .reconciler = {.interval = config.reconcile_interval,
                                   .rules = {.departure_timeout = config.room_departure_timeout,
                                             .never_joined_timeout = config.call_never_joined_timeout}},
                    .jwks = jwks.get(),
                    .jwks_url = config.auth_jwks_url,
                    .call_max_duration = config.call_max_duration,
                    .calls_kept_for = std::chrono::days(config.call_retention_days),
                    .rooms = room_settings(config, livekit)}),
        call_service(
            calls, livekit, clock, [this] { background.wake_outbox(); }, background.rooms()),
        webhook_service(
            calls, call_turns, clock, [this] { background.wake_outbox(); },
            [this](Uuid call_id) {
              if (auto* rooms = background.rooms()) rooms->restore(call_id);
            }),
        readiness(leases, clock, {revisions, known_revisions(database.dialect.kind())}, livekit_health, webhook_history,
                  jwks_source(config, jwks.get())),
        authorizer(config, clock, jwks.get()),
        cors(config.cors_allow_origins),
        webhook_authorization(config, clock, webhook_history),
        server({.host = config.host,
                .port = config.port,
                .remedy = "give a HOST of this machine and a free PORT",
                .threads = static_cast<std::size_t>(config.workers)},
               application) {
    if (!config.metrics_port) return;
    metrics_server.emplace(
        http::Server::Options{.host = config.metrics_host,
                              .port = *config.metrics_port,
                              .remedy = "give a METRICS_HOST of this machine and a free METRICS_PORT"},
        metrics_application);
  }

  // Whatever happened, nobody hands a command back to what is gone.
  ~Parts() {
    background.stop();
    engine.stop();
  }

  SystemClock clock;
  db::Engine engine;
  repositories::UserRepository users{engine};
  repositories::CallRepository calls{engine};
  repositories::OpenCallsRepository open_calls{engine};
  repositories::OutboxRepository outbox{engine};
  repositories::LeaseRepository leases{engine};
  repositories::TimelineRepository timeline{engine};
  repositories::StatisticsRepository statistics{engine};
  repositories::RevisionRepository revisions{engine};
  repositories::RetentionRepository retention{engine};
  repositories::RoomCreationRepository room_creations{engine};

  services::CallTurns call_turns;
  services::LivekitHealth livekit_health;
  services::WebhookHistory webhook_history;
  services::LivekitService livekit;
  std::unique_ptr<services::JwksService> jwks;  // with AUTH_JWKS_URL only
  Background background;
  services::CallService call_service;
  services::ListService list_service{calls, users};
  services::TimelineService timeline_service{timeline};
  services::WebhookService webhook_service;
  services::ReadinessService readiness;

  middlewares::Authorizer authorizer;
  middlewares::Cors cors;
  middlewares::WebhookAuthorization webhook_authorization;
  middlewares::Overload overload{engine};
  api::Services services{call_service, list_service, timeline_service, webhook_service, readiness};
  api::Application application{{services, authorizer, cors, webhook_authorization, overload, clock}};
  http::Server server;

  // Its own thread: the metrics can be read however busy the others are.
  api::Application metrics_application{
      {services, authorizer, cors, webhook_authorization, overload, clock, api::metrics_routes()}};
  std::optional<http::Server> metrics_server;
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
  auto& metrics_server = parts_->metrics_server;
  if (metrics_server) {
    metrics_server->start();
    log::info("listening_for_metrics", {{"port", metrics_server->port()}});
  }
  log::info("listening", {{"port", parts_->server.port()}, {"version", CALL_SERVICE_VERSION}});
  log::flush();
  tell_service_manager("READY=1");

  signals_context.run();
  signals.clear();  // a second signal ends the process at once, as signals do
  tell_service_manager("STOPPING=1");
  const std::size_t cut_off = parts_->server.stop();
  if (metrics_server) metrics_server->stop();
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
    if (const auto fault = db::unsuitable_database(migrator)) return fault;
    if (!migrator.missing().empty()) {
      migrator.lock(database);
      if (const auto done = migrator.upgrade(); !done) return done.error();
    }
  }
  return db::schema_fault(migrator);
}

}  // namespace

int serve(const Config& config) {
  std::signal(SIGPIPE, SIG_IGN);
  jose::initialize();
  for (const auto& warning : config_warnings(config)) log::warning("configuration", {{"warning", warning}});
  if (const auto fault = db::sqlite_file_fault(config.database_url)) return refuse(*fault);
  std::optional<db::sqlite::FileLock> lock;
  if (const auto path = db::sqlite_path(config.database_url)) {
    lock = db::sqlite::FileLock::acquire(*path, Milliseconds(0));
    if (!lock)
      return refuse("another process serves " + *path + " (it holds " + *path + ".lock); a SQLite file serves one");
  }
  if (const auto fault = prepare_schema(config)) return refuse(*fault);
  try {
    App app(config);
    app.run();
  } catch (const http::ListenError& error) {
    return refuse(error.what());
  }
  return exit_ok;
}

}  // namespace call_service
