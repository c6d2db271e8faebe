#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "fake_livekit/random.hpp"

namespace call_service::fake_livekit {

enum class FaultTarget { request, webhook };

// What goes wrong with a request to RoomService …
//   delay: is carried out `duration` later                     hang: is not carried out, nor answered for `duration`
//   lose_answer: is carried out, but not answered              internal_error, unavailable, unauthorized: 500, 503, 401
//   garbage: answers 200 with what is no JSON                  half: answers 200 with the first half of the answer
//   empty_list: answers 200 with an empty list
inline constexpr std::string_view request_faults =
    "delay|hang|lose_answer|internal_error|unavailable|unauthorized|garbage|half|empty_list";
// … and with a webhook.
//   drop: is never sent                duplicate: is sent again, once it was answered
//   reorder: is sent after the next event of its room, or after `duration` if there is none
//   delay: is sent `duration` later, and those behind it, too
//   wrong_secret, wrong_hash: the token is signed by another secret, or for another body
inline constexpr std::string_view webhook_faults = "drop|duplicate|reorder|delay|wrong_secret|wrong_hash";

struct Fault {
  std::int64_t id = 0;
  FaultTarget target = FaultTarget::request;
  std::string kind{};
  std::optional<std::string> only{};  // this method, or this type of event
  std::optional<std::string> room{};
  int percent = 100;
  std::optional<int> times{};  // how often it may strike yet
  std::optional<Milliseconds> duration{};
};

// The faults that are on. Safe on any thread.
class FaultBook {
 public:
  explicit FaultBook(std::uint64_t seed) : random_(seed) {}

  // Gives it its id.
  Fault add(Fault fault);
  std::vector<Fault> all() const;
  bool remove(std::int64_t id);
  void clear();

  // The one that is meant for this and strikes: they are asked from the last added to the first.
  std::optional<Fault> strike(FaultTarget target, std::string_view subject, std::string_view room);

 private:
  mutable std::mutex mutex_;
  Random random_;
  std::int64_t last_id_ = 0;
  std::vector<Fault> faults_;
};

}  // namespace call_service::fake_livekit
