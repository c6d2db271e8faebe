#pragma once

#include <expected>
#include <string>

namespace call_service::fake_livekit {

// What LiveKit would answer instead, as plain text.
struct Refusal {
  int status = 0;
  std::string text{};
};

template <typename T>
using Granted = std::expected<T, Refusal>;

}  // namespace call_service::fake_livekit
