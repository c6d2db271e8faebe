// "Facts, not arrival, decide": whatever happens in a call and in whatever order, however often and late that is told,
// it ends in the facts that the reference model reads from all of it at once.
//
// ORDER_HISTORIES=1000000 tries so many, ORDER_SEED=… others.

#include "call_history.hpp"
#include "call_order_support.hpp"
#include "call_reference.hpp"
#include "call_rules_support.hpp"

namespace call_service::rules_test {
namespace {

using history::Fact;
using history::History;
using history::Kind;
using history::Step;

template <typename F>
F timed(F fact, const Fact& told) {
  fact.occurred_at = std::chrono::floor<Seconds>(at(told.happened_at));
  return told.prompt ? fact : late(std::move(fact));
}

// Plays a history against the rules, in memory.
class Player {
 public:
  explicit Player(const History& history) : history_(history) {}

  std::string play() && {
    for (const auto& step : steps_of(history_)) take(step);
    return facts();
  }

 private:
  void take(const Step& step) {
    if (step.what == Step::What::end) {
      scene_.end(at(*history_.ended_at));
    } else if (step.what == Step::What::token) {
      const auto& token = history_.tokens[step.index];
      tokens_[step.index] = scene_.token(token.user, at(token.at));
    } else {
      // As if under another id: applied twice, it must change nothing the second time.
      tell(history_.facts[step.index]);
    }
  }

  void tell(const Fact& fact) {
    static constexpr EventType types[] = {EventType::room_started, EventType::room_finished,
                                          EventType::participant_joined, EventType::participant_left,
                                          EventType::participant_connection_aborted};
    const EventType type = types[static_cast<std::size_t>(fact.kind)];
    const Room room{fact.room.sid, at(fact.room.created_at)};
    if (!fact.is_of_participant()) {
      scene_.play(timed(room_fact(type, room, at(fact.happened_at)), fact));
      return;
    }
    Connection connection{fact.sid, fact.user, at(fact.joined_at), {}, room};
    if (fact.token) connection.session_id = tokens_.at(*fact.token);
    if (fact.names_nobody) connection.session_id = Uuid{};
    auto told = participant_fact(type, connection, at(fact.happened_at));
    told.disconnect_reason = fact.reason;
    scene_.play(timed(std::move(told), fact));
  }

  std::string facts() const { return history::facts_of(scene_.call(), scene_.sessions(), at(0)); }

  const History& history_;
  Scene scene_;
  std::map<std::size_t, Uuid> tokens_{};
};

TEST(CallRulesOrder, DecidesNothing) {
  history::check("the rules agree with the reference model", history::histories_to_try(),
                 [](const History& history) { return Player(history).play(); });
}

}  // namespace
}  // namespace call_service::rules_test
