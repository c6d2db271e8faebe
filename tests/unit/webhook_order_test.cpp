// The property that order decides nothing, through the service and a real database: what is read for a decision is
// enough, what was decided is what is kept, and an event that comes again is a duplicate.

#include "call_order_support.hpp"
#include "database/repositories/call_repository.hpp"
#include "database/repositories/timeline_repository.hpp"
#include "database_test_support.hpp"
#include "log.hpp"
#include "services/call_rules.hpp"
#include "services/webhook_service.hpp"

namespace call_service::services {
namespace {

using history::Fact;
using history::History;
using history::Kind;
using history::Step;
using livekit::EventType;

constexpr Timestamp start{Seconds(1'795'361'960)};

constexpr Timestamp at(int milliseconds) {
  return start + Milliseconds(milliseconds);
}

class SetClock final : public Clock {
 public:
  Timestamp now() const override { return at_; }
  void set(Timestamp to) { at_ = to; }

 private:
  Timestamp at_ = start;
};

// A line for each of some thousand events tells nobody anything.
struct QuietLog {
  QuietLog() { log::configure(log::Level::warning, log::Format::json); }
  ~QuietLog() { log::configure(log::Level::info, log::Format::json); }
};

// Everything a history needs, once for all of them: each has a call of its own.
struct Service {
  Service() { file.migrate(); }

  QuietLog quiet;
  db_test::SqliteFile file;
  db::Engine engine{file.database.dialect, file.database.options, file.database.connect};
  repositories::CallRepository calls{engine};
  repositories::TimelineRepository timeline{engine};
  SetClock clock;
  CallTurns turns;
  WebhookService webhooks{calls, turns, clock, [] {}, [](Uuid) {}};
};

class Player {
 public:
  Player(Service& service, const History& history) : service_(service), history_(history) {}

  std::string play() && {
    for (const auto& step : steps_of(history_)) take(step);
    const auto found = db_test::run(service_.calls.find(call_id_, std::nullopt, 1'000));
    return history::facts_of(found->call, found->sessions, start);
  }

 private:
  void take(const Step& step) {
    if (step.what == Step::What::end) {
      db_test::run(service_.calls.end({.call_id = call_id_,
                                       .ended_by = {"backend", "service"},
                                       .now = at(*history_.ended_at),
                                       .intent_id = make_uuid_v7(start)}));
    } else if (step.what == Step::What::token) {
      hand_out(step.index);
    } else {
      tell(step);
    }
  }

  void hand_out(std::size_t index) {
    const auto& token = history_.tokens[index];
    const Timestamp now = at(token.at);
    repositories::Join join{.call_id = call_id_, .user_id = token.user, .actor = {"backend", "service"}};
    join.new_session_id = make_uuid_v7(now);
    join.now = now;
    join.token_expires_at = now + Seconds(600);
    join.closes_at = now + rules::token_grace;
    repositories::NewCall call{.actor = join.actor};
    call.call.call_id = call_id_;
    call.call.caller_id = token.user;
    call.call.started_at = now;
    // The first token is handed out with the call.
    const auto outcome = index == 0 ? db_test::run(service_.calls.start_chosen(call, join)).join
                                    : db_test::run(service_.calls.join(join));
    tokens_[index] = outcome.session->session_id;
  }

  void tell(const Step& step) {
    const Fact& fact = history_.facts[step.index];
    service_.clock.set(fact.prompt ? at(fact.happened_at) : at(1'000'000));
    const auto result = db_test::run(service_.webhooks.apply(event_of(step.index, fact), {}));
    if (step.again != (result == WebhookResult::duplicate)) RC_FAIL("an event is applied once");
  }

  livekit::WebhookEvent event_of(std::size_t index, const Fact& fact) const {
    static constexpr EventType types[] = {EventType::room_started, EventType::room_finished,
                                          EventType::participant_joined, EventType::participant_left,
                                          EventType::participant_connection_aborted};
    livekit::WebhookEvent event{.id = "EV_" + std::to_string(index), .type = types[static_cast<int>(fact.kind)]};
    event.type_name = livekit::name_of(event.type);
    event.created_at = std::chrono::floor<Seconds>(at(fact.happened_at));
    event.room = {.sid = fact.room.sid, .name = models::room_name_of(call_id_), .created_at = at(fact.room.created_at)};
    if (!fact.is_of_participant()) return event;
    event.participant = {.sid = fact.sid, .identity = fact.user, .joined_at = at(fact.joined_at)};
    event.participant->disconnect_reason = fact.reason;
    if (fact.token) event.participant->session_id = tokens_.at(*fact.token).to_string();
    if (fact.names_nobody) event.participant->session_id = Uuid{}.to_string();
    return event;
  }

  Service& service_;
  const History& history_;
  const Uuid call_id_ = make_uuid_v7(start);
  std::map<std::size_t, Uuid> tokens_{};
};

// Rare by chance: nobody's event tells of the generation in between.
TEST(WebhookOrder, OfGenerationsMovesTheEndsOfThoseWhoWereInTheFirst) {
  const history::Room rooms[] = {{"RM_1", 0}, {"RM_2", 10'000}, {"RM_3", 20'000}};
  Fact ada{.kind = Kind::joined, .room = rooms[0], .happened_at = 100, .prompt = true, .arrives_at = 100};
  ada.user = "ada";
  ada.sid = "PA_1";
  ada.joined_at = 100;
  const History history{.tokens = {{"ada", 0}},
                        .facts = {ada,
                                  {.room = rooms[1], .happened_at = 10'000, .prompt = true, .arrives_at = 30'000},
                                  {.room = rooms[2], .happened_at = 20'000, .prompt = true, .arrives_at = 20'000}}};
  Service service;
  EXPECT_EQ(Player(service, history).play(), "  call active never\n  ada PA_1 from 0 to 10: reconciled\n");
}

TEST(WebhookOrder, DecidesNothing) {
  Service service;
  history::check("the service agrees with the reference model", history::histories_by_default() / 50,
                 [&](const History& history) { return Player(service, history).play(); });
}

}  // namespace
}  // namespace call_service::services
