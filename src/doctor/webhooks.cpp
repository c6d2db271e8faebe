#include "config_readers.hpp"
#include "doctor/checks.hpp"

namespace call_service::doctor {

namespace {

const std::string area = "webhooks";

std::string signer_of(const Config& config) {
  return config.livekit_webhook_api_key.value_or(config.livekit_api_key);
}

// Where LiveKit reaches the service, as far as it can be known here.
std::string webhook_url(const Config& config) {
  const bool is_for_all = config.host == "0.0.0.0" || config.host == "::" || config.host == "[::]";
  const bool is_livekit_here = config_readers::is_loopback(config_readers::host_of(config.livekit_url));
  std::string host = is_for_all && is_livekit_here ? "127.0.0.1" : config.host;
  if (is_for_all && !is_livekit_here) host = "<this machine>";
  if (config_readers::is_loopback(config.host) && !is_livekit_here) host = "<this machine>";
  if (host.contains(':') && !host.starts_with('[')) host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(config.port) + "/webhooks/livekit";
}

std::string remedy_of_silence(const Config& config) {
  std::string text = "Put into LiveKit's configuration and restart it: webhook: {api_key: \"" + signer_of(config) +
                     "\", urls: [\"" + webhook_url(config) + "\"]}.";
  const bool is_livekit_here = config_readers::is_loopback(config_readers::host_of(config.livekit_url));
  if (config_readers::is_loopback(config.host) && !is_livekit_here) {
    text += " HOST is " + config.host +
            ", which LiveKit on another machine cannot reach: set it to 0.0.0.0, or put a "
            "proxy before the service and its URL into urls.";
  }
  return text;
}

std::string remedy_of_rejection(const Config& config, const std::string& rejection) {
  const std::string secret =
      config.livekit_webhook_secret == config.livekit_api_secret ? "LIVEKIT_API_SECRET" : "LIVEKIT_WEBHOOK_SECRET";
  if (rejection == "issuer") {
    return "LiveKit signs with a key that is not known here: set webhook.api_key in its configuration to " +
           signer_of(config) + ", or LIVEKIT_WEBHOOK_API_KEY and LIVEKIT_WEBHOOK_SECRET to what it signs with.";
  }
  if (rejection == "signature") {
    return "Compare " + secret + " with the secret of the key " + signer_of(config) +
           " in the `keys` of LiveKit's configuration.";
  }
  if (rejection == "expired") return "Set the clocks of both machines right.";
  return "Something between LiveKit and the service changes bodies: let the proxy pass them on as they are.";
}

Finding found(Level level, std::string what, std::string remedy = "") {
  return {level, area, std::move(what), std::move(remedy)};
}

std::string last_words(const Record& record) {
  return record.newest_event ? "the newest was stored at " + format_timestamp(*record.newest_event)
                             : "none was ever stored";
}

Finding judge_silence(const Config& config, const WebhookEvidence& evidence) {
  const Record& record = *evidence.record;
  const bool is_running = evidence.service.state == Service::State::running;
  const std::string since = is_running ? "none came since the service started; " : "";
  if (!evidence.rooms_in_livekit.empty()) {
    return found(Level::problem,
                 since + "no webhook told of rooms of active calls that LiveKit has (" +
                     std::to_string(evidence.rooms_in_livekit.size()) + ")",
                 remedy_of_silence(config));
  }
  if (is_running && !record.silent_rooms.empty()) {
    return found(Level::warning,
                 since + "none told of active calls (" + std::to_string(record.silent_rooms.size()) +
                     "). That is right if nobody has connected to them yet; else webhooks do not arrive",
                 remedy_of_silence(config));
  }
  return found(Level::ok, since + last_words(record), "");
}

}  // namespace

Findings check_webhooks(const Config& config, const WebhookEvidence& evidence) {
  const Service& service = evidence.service;
  if (!service.last_rejection.empty()) {
    return {found(
        Level::problem,
        "the last was refused at " + format_timestamp(*service.last_rejected_at) + " (" + service.last_rejection + ")",
        remedy_of_rejection(config, service.last_rejection))};
  }
  if (service.has_accepted) return {found(Level::ok, "arrive")};
  if (!evidence.record) return {};
  return {judge_silence(config, evidence)};
}

}  // namespace call_service::doctor
