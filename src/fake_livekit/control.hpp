#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "fake_livekit/faults.hpp"
#include "fake_livekit/front.hpp"
#include "fake_livekit/gate.hpp"
#include "fake_livekit/webhook_sender.hpp"
#include "fake_livekit/world.hpp"

namespace call_service::fake_livekit {

// The API by which a test drives the fake: docs/how-to/test-your-integration.md. Whatever is wrong with a request is
// told in a problem document.
class Control {
 public:
  struct Needs {
    World& world;
    FaultBook& faults;
    WebhookSender& webhooks;
    const Front& front;
    Gate& gate;
    livekit::ApiKey key{};
    const Clock& clock;
  };

  explicit Control(Needs needs) : needs_(std::move(needs)) {}

  Task<http::Response> answer(const http::Request& request);

  struct Input {
    const http::Request& request;
    std::vector<std::string> parameters{};  // of the path
  };
  struct Route {
    http::Method method;
    std::string_view pattern;
    http::Response (Control::*answer)(const Input&);
  };

 private:
  static std::span<const Route> routes();

  http::Response settings(const Input& input);
  http::Response change_settings(const Input& input);
  http::Response rooms(const Input& input);
  http::Response put_room(const Input& input);
  http::Response remove_room(const Input& input);
  http::Response finish_room(const Input& input);
  http::Response join(const Input& input);
  http::Response activate(const Input& input);
  http::Response leave(const Input& input);
  http::Response abort(const Input& input);
  http::Response crash(const Input& input);
  http::Response restart(const Input& input);
  http::Response add_request_fault(const Input& input);
  http::Response add_webhook_fault(const Input& input);
  http::Response faults(const Input& input);
  http::Response clear_faults(const Input& input);
  http::Response remove_fault(const Input& input);
  http::Response requests(const Input& input);
  http::Response webhooks(const Input& input);

  Needs needs_;
};

}  // namespace call_service::fake_livekit
