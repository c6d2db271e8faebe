#include "call_history.hpp"

#include <algorithm>
#include <ostream>
#include <tuple>

#include "call_reference.hpp"

namespace call_service::history {

namespace {

// What chance decides, in numbers that shrink to the simplest: everything told in order, once, nobody there.
struct Delivery {
  int delay = 0;  // seconds
  bool lost = false;
  bool prompt = false;
};

struct RoomPlan {
  int creation = 0;  // after the earliest
  bool finishes = false;
  Delivery started{};
  Delivery finished{};
};

struct StayPlan {
  int user = 0;
  int room = 0;
  int begin = 0;   // quarters of a second
  int length = 0;  // quarters of a second
  int way = 0;     // of how it ends: one of `reasons`, or aborted
  int token = 0;   // names the newest, the first, none
  Delivery joined{};
  Delivery left{};
};

struct TokenPlan {
  int user = 0;
  int room = 0;
  int slot = 0;  // half seconds
};

struct EndPlan {
  bool ends = false;
  int room = 0;
  int slot = 0;
};

struct Plan {
  std::vector<RoomPlan> rooms{};
  std::vector<StayPlan> stays{};
  std::vector<TokenPlan> tokens{};
  EndPlan end{};
};

constexpr const char* users[] = {"ada", "bob", "carol"};
constexpr const char* reasons[] = {"CLIENT_INITIATED", "DUPLICATE_IDENTITY", "PARTICIPANT_REMOVED",
                                   "CONNECTION_TIMEOUT", "ROOM_DELETED"};
constexpr int aborted_way = std::size(reasons);

// A room has 10 s: people come in the first 7.9 and are gone after 8; the last token is handed out at 8.75 and the room
// finishes at 8.9.
constexpr int room_length = 10'000;
constexpr int last_moment = 8'000;
constexpr int last_token_slot = 17;
constexpr int finish_moment = 8'900;

int slot_time(int room, int slot) {
  return room * room_length + slot * 500 + 250;
}

// What the contract itself lets depend on the order of arrival is kept out:
//   - a room that was made anew had finished while somebody was on the way, or was lost with its server, or its end is
//     not told of: "on an ended call nothing reopens", and the end of an older generation ends nothing;
//   - a room_finished that leaves the call open comes after what happened in that room: a call that has ended on what
//   was
//     known stays so;
//   - a connection without the attribute has a token that was handed out with the call, or none: it takes the session
//     that is pending when it is first heard of;
//   - what is told before the API ends the call is told before in every order: the API's word stands against what comes
//     later.
class Writer {
 public:
  explicit Writer(const Plan& plan) : plan_(plan), rooms_(static_cast<int>(plan.rooms.size())) {}

  History write() && {
    if (plan_.end.ends) history_.ended_at = slot_time(plan_.end.room % rooms_, plan_.end.slot);
    hand_out_tokens();
    for (int i = 0; i < rooms_; ++i) start(i);
    for (std::size_t i = 0; i < plan_.stays.size(); ++i) stay(plan_.stays[i], i);
    for (int i = 0; i < rooms_; ++i) finish(i);
    std::ranges::stable_sort(history_.facts, {}, &Fact::happened_at);
    return std::move(history_);
  }

 private:
  void hand_out_tokens() {
    history_.tokens.push_back({users[0], 0});
    for (const auto& token : plan_.tokens) {
      const int at = token.slot == 0 ? 0 : slot_time(token.room % rooms_, token.slot);
      if (!history_.ended_at || at < *history_.ended_at) history_.tokens.push_back({users[token.user], at});
    }
    std::ranges::stable_sort(history_.tokens, {}, &Token::at);
  }

  Room room(int index) const {
    return {"RM_" + std::to_string(index * 7 % 10),
            index * room_length + plan_.rooms[static_cast<std::size_t>(index)].creation};
  }

  void tell(Fact fact, const Delivery& delivery) {
    fact.prompt = delivery.prompt;
    fact.arrives_at = fact.happened_at + delivery.delay * 1000;
    if (!delivery.lost) history_.facts.push_back(std::move(fact));
  }

  void start(int index) {
    const Room made = room(index);
    tell({.kind = Kind::started, .room = made, .happened_at = made.created_at},
         plan_.rooms[static_cast<std::size_t>(index)].started);
  }

  void stay(const StayPlan& plan, std::size_t index) {
    const int place = plan.room % rooms_;
    Fact fact{.room = room(place)};
    fact.user = users[plan.user];
    fact.sid = "PA_" + std::to_string((index + 3) * 7 % 10);
    fact.joined_at = fact.room.created_at + plan.begin * 250;
    name_session(fact, plan.token);
    fact.kind = Kind::joined;
    fact.happened_at = fact.joined_at;
    if (plan.way != aborted_way) tell(fact, plan.joined);
    fact.kind = plan.way == aborted_way ? Kind::aborted : Kind::left;
    fact.reason = plan.way == aborted_way ? "SIGNAL_CLOSE" : reasons[plan.way];
    fact.happened_at =
        std::max(fact.joined_at, std::min(fact.joined_at + plan.length * 250, place * room_length + last_moment));
    tell(fact, plan.left);
  }

  void name_session(Fact& fact, int choice) const {
    bool later_token = false;
    std::vector<std::size_t> theirs;
    for (std::size_t i = 0; i < history_.tokens.size(); ++i) {
      const Token& token = history_.tokens[i];
      if (token.user != fact.user) continue;
      later_token = later_token || token.at > 0;
      if (token.at <= fact.joined_at) theirs.push_back(i);
    }
    if (choice == 2 && !later_token) return;
    fact.names_nobody = theirs.empty() && later_token;
    if (!theirs.empty()) fact.token = choice == 1 ? theirs.front() : theirs.back();
  }

  void finish(int index) {
    const auto& plan = plan_.rooms[static_cast<std::size_t>(index)];
    if (!plan.finishes) return;
    Fact fact{.kind = Kind::finished, .room = room(index), .happened_at = index * room_length + finish_moment};
    const bool leaves_open = somebody_is_on_the_way(history_, fact);
    const bool on_ended_call = history_.ended_at && *history_.ended_at < fact.happened_at;
    if (!leaves_open && !on_ended_call && index + 1 < rooms_) return;
    Delivery delivery = plan.finished;
    for (const auto& other : history_.facts) {
      const bool before = leaves_open && other.is_of_participant() && other.room.sid == fact.room.sid;
      while (before && fact.happened_at + delivery.delay * 1000 <= other.arrives_at) ++delivery.delay;
    }
    tell(fact, delivery);
  }

  const Plan& plan_;
  const int rooms_;
  History history_;
};

// Chance does not depend on rapidcheck's size here: each number counts from the first history on.
rc::Gen<int> number(int limit) {
  return rc::gen::resize(100, rc::gen::inRange(0, limit));
}

rc::Gen<bool> chance(int percent) {
  return rc::gen::map(number(100), [percent](int drawn) { return drawn >= 100 - percent; });
}

rc::Gen<Delivery> delivery() {
  const auto delay = rc::gen::oneOf(rc::gen::just(0), number(4), number(60));
  return rc::gen::build<Delivery>(rc::gen::set(&Delivery::delay, delay), rc::gen::set(&Delivery::lost, chance(15)),
                                  rc::gen::set(&Delivery::prompt, chance(50)));
}

template <typename T>
rc::Gen<std::vector<T>> up_to(int least, int limit, rc::Gen<T> each) {
  return rc::gen::mapcat(number(limit - least), [=](int more) {
    return rc::gen::container<std::vector<T>>(static_cast<std::size_t>(least + more), each);
  });
}

}  // namespace

rc::Gen<History> any_history() {
  using rc::gen::set;
  const auto room =
      rc::gen::build<RoomPlan>(set(&RoomPlan::creation, number(900)), set(&RoomPlan::finishes, chance(60)),
                               set(&RoomPlan::started, delivery()), set(&RoomPlan::finished, delivery()));
  const auto stay =
      rc::gen::build<StayPlan>(set(&StayPlan::user, number(std::size(users))), set(&StayPlan::room, number(3)),
                               set(&StayPlan::begin, number(28)), set(&StayPlan::length, number(32)),
                               set(&StayPlan::way, number(aborted_way + 1)), set(&StayPlan::token, number(3)),
                               set(&StayPlan::joined, delivery()), set(&StayPlan::left, delivery()));
  const auto token =
      rc::gen::build<TokenPlan>(set(&TokenPlan::user, number(std::size(users))), set(&TokenPlan::room, number(3)),
                                set(&TokenPlan::slot, number(last_token_slot + 1)));
  const auto end = rc::gen::build<EndPlan>(set(&EndPlan::ends, chance(25)), set(&EndPlan::room, number(3)),
                                           set(&EndPlan::slot, number(last_token_slot)));
  const auto plan = rc::gen::build<Plan>(set(&Plan::rooms, up_to<RoomPlan>(1, 4, room)),
                                         set(&Plan::stays, up_to<StayPlan>(0, 6, stay)),
                                         set(&Plan::tokens, up_to<TokenPlan>(0, 5, token)), set(&Plan::end, end));
  return rc::gen::map(plan, [](const Plan& drawn) { return Writer(drawn).write(); });
}

// An end comes before what arrives at the same time, a token after what happened before it; every third fact is told
// twice, the second time after all others.
std::vector<Step> steps_of(const History& history) {
  std::vector<std::tuple<int, int, Step>> all;
  for (std::size_t i = 0; i < history.tokens.size(); ++i) {
    all.emplace_back(history.tokens[i].at, 0, Step{.what = Step::What::token, .index = i});
  }
  if (history.ended_at) all.emplace_back(*history.ended_at, 1, Step{.what = Step::What::end});
  for (std::size_t i = 0; i < history.facts.size(); ++i) {
    const Fact& fact = history.facts[i];
    all.emplace_back(fact.arrives_at, 2, Step{.what = Step::What::fact, .index = i});
    if ((fact.arrives_at + fact.happened_at / 250) % 3 == 0) {
      all.emplace_back(fact.arrives_at + 1'500, 2, Step{.what = Step::What::fact, .index = i, .again = true});
    }
  }
  std::ranges::stable_sort(all, {}, [](const auto& step) { return std::pair(std::get<0>(step), std::get<1>(step)); });
  std::vector<Step> steps;
  for (const auto& [when, rank, step] : all) steps.push_back(step);
  return steps;
}

std::ostream& operator<<(std::ostream& out, const History& history) {
  static constexpr const char* kinds[] = {"room_started", "room_finished", "participant_joined", "participant_left",
                                          "participant_connection_aborted"};
  for (const auto& step : steps_of(history)) {
    if (step.what == Step::What::end) {
      out << "  " << *history.ended_at << " the API ends the call\n";
    } else if (step.what == Step::What::token) {
      out << "  " << history.tokens[step.index].at << " a token for " << history.tokens[step.index].user << "\n";
    } else {
      const Fact& fact = history.facts[step.index];
      out << "  " << kinds[static_cast<std::size_t>(fact.kind)] << (step.again ? " again" : "") << ", happened "
          << fact.happened_at << (fact.prompt ? " (prompt)" : "") << ", " << fact.room.sid << " of "
          << fact.room.created_at;
      if (fact.is_of_participant())
        out << ", " << fact.user << " " << fact.sid << " since " << fact.joined_at << " " << fact.reason;
      if (fact.token) out << ", by the token of " << history.tokens[*fact.token].at;
      out << "\n";
    }
  }
  return out;
}

}  // namespace call_service::history
