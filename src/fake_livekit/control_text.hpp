#pragma once

#include <string>
#include <vector>

#include "fake_livekit/faults.hpp"
#include "fake_livekit/front.hpp"
#include "fake_livekit/messages.hpp"
#include "fake_livekit/webhook_sender.hpp"

// What the control API answers, as JSON.
namespace call_service::fake_livekit {

std::string to_json(const Fault& fault);
std::string to_json(const SeenRequest& request);
std::string to_json(const Delivery& delivery);
// As RoomService tells of it, with its participants.
std::string to_json(const Room& room);

// {"<name>":[…]}
template <typename Item>
std::string list_to_json(const std::string& name, const std::vector<Item>& items) {
  std::string list;
  for (const Item& item : items) {
    if (!list.empty()) list += ',';
    list += to_json(item);
  }
  return "{\"" + name + "\":[" + list + "]}";
}

}  // namespace call_service::fake_livekit
