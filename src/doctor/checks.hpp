#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "config.hpp"
#include "doctor/finding.hpp"
#include "http/client.hpp"
#include "livekit/inspection.hpp"

// The checks of `call-service doctor`. Each takes what it needs by value, looks, changes nothing and says what it
// found. They block, a few seconds at most; doctor.cpp bounds each.
namespace call_service::doctor {

// Faults, and settings that work but are doubtful.
Findings check_configuration(const ConfigReading& reading);

// Reachable, credentials, version, rights; one problem hides the further ones.
Findings check_postgresql(const std::string& url, const std::string& schema);
Findings check_sqlite(const std::string& path);

// Missing, outdated, newer than this program, somebody else's tables. `schema` is empty with SQLite.
Findings check_schema(const std::string& url, const std::string& schema);

// What the database knows of calls and webhooks.
struct Record {
  std::optional<Timestamp> newest_event{};
  std::vector<std::string> silent_rooms{};  // of active calls of which no webhook told; 100 at most
};
// Nothing if it cannot be read.
std::optional<Record> read_record(const std::string& url, const std::string& schema);

// Does LiveKit's API answer, with these credentials, and what is its time?
Findings check_livekit(const std::string& url, const livekit::ApiKey& key);

// Which of these rooms LiveKit has. Empty if it does not say.
std::vector<std::string> rooms_in_livekit(const std::string& url, const livekit::ApiKey& key,
                                          const std::vector<std::string>& names);

// What listens at HOST:PORT.
struct Service {
  enum class State { running, free, occupied, unusable } state = State::free;
  std::string fault{};      // unusable: why it cannot be listened on
  bool is_ready = false;    // running:
  std::string not_ready{};  //   what the service says is missing
  bool has_accepted = false;
  std::optional<Timestamp> last_rejected_at{};
  std::string last_rejection{};  // of the newest webhook, if that was refused; else empty
};
Service find_service(const std::string& host, int port);
Findings check_service(const Service& service, const std::string& host, int port);

// Whether LiveKit's webhooks arrive.
struct WebhookEvidence {
  Service service{};
  std::optional<Record> record{};
  std::vector<std::string> rooms_in_livekit{};  // of record.silent_rooms
};
Findings check_webhooks(const Config& config, const WebhookEvidence& evidence);

// A difference of clocks, measured in `other` - `here`. `what`: whose clock; `tolerance`: what still does no harm.
Finding judge_clock(const std::string& area, const std::string& what, Milliseconds difference, Seconds tolerance);

}  // namespace call_service::doctor
