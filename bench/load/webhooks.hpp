#pragma once

#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "calls.hpp"
#include "workload.hpp"

namespace load {

struct Guest {
  std::string user_id;
  std::string session_id;
};

struct MadeCall {
  std::string call_id;
  std::vector<Guest> guests;  // the caller first
};

// Starts calls and lets a second user join each, so that there is what LiveKit's events are about.
class MakeCalls : public Workload {
 public:
  MakeCalls(const Target& target, std::size_t count) : target_(target), calls_(count) {}
  std::optional<Request> next() override;
  bool answered(std::uint64_t tag, int status, std::string_view body) override;
  std::vector<MadeCall> take() { return std::move(calls_); }

 private:
  Target target_;
  Users users_;
  std::vector<MadeCall> calls_;
  std::size_t started_ = 0;
  std::deque<Request> joins_;
};

struct Signer {
  std::string key;
  std::string secret;
};

// LiveKit's events of these calls: the room begins, both users come, both go, the room ends. Those of a call one after
// the other, as LiveKit sends them; those of many calls at the same time.
class Webhooks : public Workload {
 public:
  Webhooks(const Signer& signer, std::vector<MadeCall> calls, std::size_t at_once);
  std::optional<Request> next() override;
  bool answered(std::uint64_t tag, int status, std::string_view body) override;

 private:
  struct Room {
    std::string sid;
    std::string created_at_ms;
    std::vector<std::string> joined_at_ms;  // by guest, once there
    std::size_t step = 0;
  };

  std::string event_of(std::size_t number);
  std::string room_of(std::size_t number) const;
  std::string participant_of(std::size_t number, std::size_t guest, bool leaves);
  std::string id(std::string_view prefix);
  std::string sign(std::string_view body) const;

  Signer signer_;
  std::vector<MadeCall> calls_;
  std::vector<Room> rooms_;
  std::deque<std::size_t> ready_;  // calls whose next event may be sent
  std::size_t begun_ = 0;
  std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace load
