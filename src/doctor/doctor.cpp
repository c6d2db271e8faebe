#include "doctor/doctor.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <ostream>

#include "database/url.hpp"
#include "doctor/checks.hpp"

namespace call_service::doctor {

namespace {

class Examination {
 public:
  explicit Examination(const ConfigReading& reading) : reading_(reading) {}

  Findings run() {
    add(check_configuration(reading_));
    if (!config().database_url.empty()) examine_database();
    if (!config().livekit_url.empty() && !config().livekit_api_secret.empty()) examine_livekit();
    if (!config().host.empty() && config().port != 0) examine_service();
    if (service_.state != Service::State::occupied) examine_webhooks();
    return std::move(findings_);
  }

 private:
  const Config& config() const { return reading_.config; }

  // Whether the first, on which the others rest, is no problem.
  bool add(Findings findings) {
    const bool is_well = findings.empty() || findings.front().level != Level::problem;
    std::ranges::move(findings, std::back_inserter(findings_));
    return is_well;
  }

  void examine_database() {
    const std::string url = config().database_url;
    const std::string schema = config().database_schema;
    const auto path = db::sqlite_path(url);
    const bool is_well =
        add(run_check("database", [=] { return path ? check_sqlite(*path) : check_postgresql(url, schema); }));
    if (is_well) has_schema_ = add(run_check("schema", [=] { return check_schema(url, schema); }));
  }

  void examine_livekit() {
    const std::string url = config().livekit_url;
    has_livekit_ = add(run_check("livekit", [=, key = livekit_key()] { return check_livekit(url, key); }));
  }

  void examine_service() {
    const auto find = [host = config().host, port = config().port] { return find_service(host, port); };
    if (const auto found = in_time<Service>(find)) service_ = *found;
    add(check_service(service_, config().host, config().port));
  }

  void examine_webhooks() {
    add(run_check("webhooks", [config = config(), key = livekit_key(), service = service_, has_schema = has_schema_,
                               has_livekit = has_livekit_] {
      WebhookEvidence evidence{.service = service};
      if (has_schema) evidence.record = read_record(config.database_url, config.database_schema);
      if (has_livekit && evidence.record) {
        evidence.rooms_in_livekit = rooms_in_livekit(config.livekit_url, key, evidence.record->silent_rooms);
      }
      return check_webhooks(config, evidence);
    }));
  }

  livekit::ApiKey livekit_key() const { return {config().livekit_api_key, config().livekit_api_secret}; }

  const ConfigReading& reading_;
  Findings findings_;
  bool has_schema_ = false;
  bool has_livekit_ = false;
  Service service_{};
};

}  // namespace

Findings examine(const ConfigReading& reading) {
  return Examination(reading).run();
}

void print(std::ostream& out, const Findings& findings) {
  static constexpr std::array<std::string_view, 3> levels{"ok      ", "warning ", "problem "};
  for (const Finding& finding : findings) {
    out << levels.at(static_cast<std::size_t>(finding.level)) << finding.area << ": " << finding.what;
    if (!finding.remedy.empty()) out << ". " << finding.remedy;
    out << "\n";
  }
}

}  // namespace call_service::doctor
