#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/task.hpp"
#include "base/time.hpp"
#include "database/repositories/open_calls_repository.hpp"
#include "services/lease.hpp"
#include "services/lookout.hpp"
#include "services/outbox_worker.hpp"
#include "services/second_look.hpp"

namespace call_service::services {

// Keeps the record equal to LiveKit, whatever webhooks were lost: compares open calls with what LiveKit lists, in both
// directions, and asks LiveKit before a silence ends something. This is the order of work and the first look; what
// follows from two looks is in SecondLook, the rules are in reconcile_rules. Works only while this process has the
// lease and LiveKit answers. Runs on one io_context.
class Reconciler {
 public:
  struct Settings {
    Seconds interval{};  // between two comparisons; 0: none, but the timers still ask
    SecondLook::Settings rules{};
  };
  struct Needs {
    repositories::OpenCallsRepository& calls;
    CallChanges& changes;
    livekit::RoomServiceClient& livekit;
    const LivekitHealth& health;
    const Lease& lease;
    const Clock& clock;
    std::function<void(const std::string& why)> report_outage;  // LiveKit does not answer
  };

  Reconciler(Executor executor, Needs needs, Settings settings);

  // Until stop(). Never throws.
  Task<void> run();
  void stop();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  using OpenCall = repositories::OpenCall;
  using Rooms = std::unordered_map<std::string, std::string>;  // sids by name

  // What is remembered of a call between comparisons.
  struct Sight {
    std::optional<Timestamp> seen_at{};       // everybody on record was there: an outage does not make that less true
    std::optional<Timestamp> marked_at{};     // the last time that seen_at was to be stored
    std::optional<Timestamp> no_answer_at{};  // the last time that LiveKit was asked about it in vain
  };
  // One comparison of everything.
  struct Pass {
    std::optional<Rooms> rooms{};  // nullopt: not known
    bool all = true;               // looks at every call
    bool is_whole = false;         // no page of open calls was left out
    std::unordered_set<Uuid> open{};
    std::size_t live = 0;  // calls whose room is as recorded
    std::vector<Doubt> doubts{};
  };

  Task<void> turn();
  Task<void> compare();
  Task<void> compare_page(Pass& pass, const std::vector<repositories::OpenCallPlace>& page);
  Task<void> ask_for_silent();
  Task<std::vector<Doubt>> look_first(std::vector<OpenCall> calls, bool timer);
  Task<void> look_again(std::vector<Doubt> doubts, std::vector<Uuid> ended);
  Task<void> write(Uuid call_id, Task<void> work);
  Task<void> settle(Doubt doubt, std::optional<rules::Look> second);
  Task<void> settle_room(Uuid ended, std::optional<rules::Look> second);
  Task<std::vector<Uuid>> find_rooms_of_ended(const Pass& pass);
  Task<void> mark_seen(std::vector<OpenCall> calls);
  Task<Lookout::Answers> ask(std::vector<Lookout::Question> questions);
  Task<void> pause(std::chrono::steady_clock::duration length);

  bool is_watching();
  void lose_sight();
  bool needs_look(Pass& pass, const OpenCall& call) const;
  Timestamp watched_since(const Sight& sight) const;
  Doubt doubt_about(const OpenCall& call, rules::Look first, bool timer);
  bool is_in_doubt(const Doubt& doubt) const;
  void tell_unknown_rooms(const std::unordered_set<std::string>& names);
  void forget_closed(const std::unordered_set<Uuid>& open);

  Needs needs_;
  Settings settings_;
  Lookout lookout_;
  SecondLook second_look_;
  Timer timer_;
  std::unordered_map<Uuid, Sight> sights_;
  std::unordered_set<std::string> unknown_rooms_;
  std::optional<Timestamp> watched_since_;  // this process has compared, and LiveKit and the database answered, since
  std::optional<SteadyTime> settled_at_;    // LiveKit is not asked before; nullopt: it does not answer
  SteadyTime next_comparison_;
  SteadyTime next_silence_;
  bool all_next_ = true;
  std::size_t passes_ = 0;
  std::size_t failed_in_a_row_ = 0;  // writes of single calls
  std::size_t stride_ = 1;  // a quick comparison looks at every so many-th of the calls that seem to be as recorded
  bool stopping_ = false;
};

}  // namespace call_service::services
