#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace call_service::test {

// A request that a real livekit-server 1.13.5 sent.
struct RecordedWebhook {
  Timestamp at;
  std::string authorization;
  std::string body;
};

inline std::vector<RecordedWebhook> read_recorded_webhooks() {
  const auto path = std::filesystem::path(TEST_DATA) / "livekit-webhooks.jsonl";
  std::ifstream file(path);
  std::vector<RecordedWebhook> webhooks;
  for (std::string line; std::getline(file, line);) {
    const boost::json::value record = boost::json::parse(line);
    const auto& headers = record.at("rawHeaders").as_array();
    RecordedWebhook webhook;
    webhook.at = parse_timestamp(std::string_view(record.at("at").as_string())).value();
    webhook.body = std::string_view(record.at("body").as_string());
    for (std::size_t i = 0; i + 1 < headers.size(); i += 2) {
      if (headers[i].as_string() == "Authorization") {
        webhook.authorization = std::string_view(headers[i + 1].as_string());
      }
    }
    webhooks.push_back(std::move(webhook));
  }
  return webhooks;
}

}  // namespace call_service::test
