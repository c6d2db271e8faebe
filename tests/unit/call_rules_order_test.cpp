// "Facts, not arrival, decide": random histories of one call, told in every random order, end in the same facts.

#include <map>
#include <random>
#include <set>
#include <variant>

#include "call_rules_support.hpp"

namespace call_service::rules_test {
namespace {

using Fact = std::variant<RoomFact, ParticipantFact>;
using Random = std::mt19937;

std::size_t below(Random& random, std::size_t limit) {
  return random() % limit;
}

bool chance(Random& random, std::size_t percent) {
  return below(random, 100) < percent;
}

int millis(Timestamp when) {
  return static_cast<int>((when - at(0)).count());
}

std::string describe(const Fact& fact) {
  const auto& room = std::visit([](const RoomFact& each) -> const RoomFact& { return each; }, fact);
  std::string text = std::string(name_of(room.type)) + " " + room.room_sid;
  text +=
      " createdAt " + std::to_string(millis(room.occurred_at)) + " arrived " + std::to_string(millis(room.arrived_at));
  if (const auto* participant = std::get_if<ParticipantFact>(&fact)) {
    text += " " + participant->identity + " " + participant->sid;
    text += " joinedAtMs " + std::to_string(millis(*participant->joined_at)) + " " + participant->disconnect_reason;
    if (participant->session_id) text += " names a session";
  }
  return text + "\n";
}

std::string describe(const std::vector<Fact>& facts) {
  std::string text;
  for (const auto& fact : facts) text += "  " + describe(fact);
  return text;
}

// A call with people in it whose tokens were all handed out before anything happened in the room.
struct History {
  Scene scene;
  std::vector<Fact> facts{};
};

constexpr const char* departures[] = {"CLIENT_INITIATED", "CONNECTION_TIMEOUT",  "DUPLICATE_IDENTITY",
                                      "ROOM_DELETED",     "PARTICIPANT_REMOVED", "SIGNAL_CLOSE"};

// Makes a history. What the contract itself lets depend on the order of arrival is left out:
//   - room_finished is the last of all, a second after everything else, and of the newest generation: "on an ended call
//     nothing reopens", so whether a connection or a generation that began later finds the call open is decided by what
//     arrives first; and createdAt has whole seconds;
//   - no token is handed out after somebody has left: somebody on the way keeps the call only if all departures are
//     known when room_finished comes, and what has ended cannot be kept;
//   - the room was made anew at most once after a connection whose departure is lost: that connection's end is dated by
//     the newest generation that is known;
//   - a fact carries its time of arrival, so that it is dated alike in every order;
//   - facts carry joinedAtMs: without it the first of them to arrive dates the beginning.
class Historian {
 public:
  explicit Historian(unsigned seed) : random_(seed) {}

  History write(bool with_end) {
    prompt_ = chance(random_, 50);
    std::map<std::string, Uuid> tokens{{"ada", history_.scene.sessions().front().session_id}};
    for (const std::string user : {"bob", "carol"}) {
      if (chance(random_, 70)) tokens[user] = history_.scene.token(user, at(0));
    }
    const auto generations = 1 + below(random_, 3);
    for (std::size_t i = 0; i < generations; ++i) rooms_.push_back({"RM_" + std::to_string(i * 7 % 10), moment()});
    std::ranges::sort(rooms_, {}, [](const Room& room) { return std::pair(room.created_at, room.sid); });
    for (const auto& room : rooms_) tell(started(room));
    const auto connections = 1 + below(random_, 4);
    for (std::size_t i = 0; i < connections; ++i) connect(tokens);
    if (with_end && chance(random_, 60)) tell(finished(rooms_.back(), at(11'000)));
    return std::move(history_);
  }

 private:
  Timestamp moment() { return at(static_cast<int>(below(random_, 40)) * 250); }

  template <typename F>
  F timed(F fact) const {
    if (!prompt_) return late(std::move(fact));
    fact.arrived_at += Milliseconds(50);
    return fact;
  }

  // Most facts are told; the others are lost.
  template <typename F>
  void tell(F fact) {
    if (!chance(random_, 15)) history_.facts.emplace_back(timed(std::move(fact)));
  }

  void connect(const std::map<std::string, Uuid>& tokens) {
    static const std::vector<std::string> users{"ada", "ada", "bob", "carol"};
    const std::string& user = users[below(random_, users.size())];
    const std::size_t generation = below(random_, rooms_.size());
    const Timestamp gone = generation + 1 < rooms_.size() ? rooms_[generation + 1].created_at : at(10'000);
    const Room& room = rooms_[generation];
    const Timestamp begin = std::clamp(moment(), room.created_at, gone);
    Connection connection{"PA_" + std::to_string(sids_ * 7 % 10), user, begin, {}, room};
    ++sids_;
    if (tokens.contains(user) && chance(random_, 60)) connection.session_id = tokens.at(user);
    const Timestamp end = std::max(moment(), connection.joined_at);
    const bool never_active = chance(random_, 15);
    if (never_active) return tell(aborted(connection, end));
    tell(joined(connection));
    if (generation + 2 < rooms_.size()) {
      history_.facts.emplace_back(timed(left(connection, end)));
    } else if (chance(random_, 70)) {
      tell(left(connection, end, departures[below(random_, std::size(departures))]));
    }
  }

  Random random_;
  History history_;
  std::vector<Room> rooms_;
  std::size_t sids_ = 3;
  bool prompt_ = false;
};

// Who was there from when to when, on which connection, why it ended, and the end of the call.
std::string facts_of(const Scene& scene) {
  std::set<std::string> stays;
  for (const auto& session : scene.sessions()) {
    if (!session.participant_sid) continue;
    const std::string joined_at = session.joined_at ? std::to_string(millis(*session.joined_at)) : "never";
    stays.insert("  " + session.user_id + " " + *session.participant_sid + " joined " + joined_at + ", " +
                 end_of(session) + ", " + session.disconnect_reason.value_or("no reason") + "\n");
  }
  std::string text = "  call " + end_of(scene.call()) + ", room " + scene.call().room_sid.value_or("none") + "\n";
  for (const auto& stay : stays) text += stay;
  return text;
}

std::string play(Scene scene, const std::vector<Fact>& facts) {
  for (const auto& fact : facts) std::visit([&](const auto& each) { scene.play(each); }, fact);
  return facts_of(scene);
}

Timestamp when(const Fact& fact) {
  return std::visit(
      [](const auto& each) {
        if constexpr (std::is_same_v<std::decay_t<decltype(each)>, ParticipantFact>) {
          if (each.type == EventType::participant_joined) return *each.joined_at;
        }
        return each.type == EventType::room_started ? *each.room_created_at : each.moment();
      },
      fact);
}

// Some of the facts again, under other ids and at other places.
std::vector<Fact> shuffled(std::vector<Fact> facts, Random& random) {
  for (std::size_t i = 0, count = facts.size(); i < count; ++i) {
    if (chance(random, 30)) facts.push_back(facts[i]);
  }
  std::ranges::shuffle(facts, random);
  return facts;
}

void expect_same_in_every_order(const History& history, unsigned seed, int orders) {
  auto in_order = history.facts;
  std::ranges::sort(in_order, {}, when);
  const std::string expected = play(history.scene, in_order);
  Random random(seed);
  for (int i = 0; i < orders; ++i) {
    const auto facts = shuffled(history.facts, random);
    const std::string found = play(history.scene, facts);
    EXPECT_EQ(found, expected) << "seed " << seed << "; in order:\n"
                               << describe(in_order) << "as told:\n"
                               << describe(facts);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(CallRulesOrder, DecidesNothingInACallWithItsRoom) {
  for (unsigned seed = 1; seed <= 4'000 && !HasFailure(); ++seed) {
    expect_same_in_every_order(Historian(seed).write(true), seed, 8);
  }
}

// Ended by the API before the first event arrives: what is told late is filled in, in whatever order.
TEST(CallRulesOrder, DecidesNothingOfWhatIsToldAfterTheEnd) {
  for (unsigned seed = 1; seed <= 2'000 && !HasFailure(); ++seed) {
    History history = Historian(seed).write(false);
    history.scene.end(at(10'500));
    expect_same_in_every_order(history, seed, 8);
  }
}

}  // namespace
}  // namespace call_service::rules_test
