#include "call_reference.hpp"

#include <algorithm>
#include <map>

namespace call_service::history {

namespace {

struct End {
  int at = 0;
  std::string reason{};
};

// All that is told of one connection.
struct Stay {
  std::string user{};
  std::string sid{};
  Room room{};
  int began_at = 0;         // as every fact of it says
  bool was_active = false;  // an aborted one never was
  std::optional<End> departure{};
};

std::string reason_of(const Fact& fact) {
  if (fact.kind == Kind::aborted) return "connection_aborted";
  if (fact.reason == "PARTICIPANT_REMOVED") return "removed";
  if (fact.reason == "DUPLICATE_IDENTITY") return "replaced";
  return fact.reason == "ROOM_DELETED" ? "call_ended" : "left";
}

std::vector<Stay> stays_in(const std::vector<Fact>& facts) {
  std::map<std::string, Stay> stays;
  for (const auto& fact : facts) {
    if (!fact.is_of_participant()) continue;
    Stay& stay = stays[fact.sid];
    stay.user = fact.user;
    stay.sid = fact.sid;
    stay.room = fact.room;
    stay.began_at = fact.joined_at;
    stay.was_active = stay.was_active || fact.kind != Kind::aborted;
    if (fact.kind != Kind::joined) stay.departure = {std::max(fact.moment(), fact.joined_at), reason_of(fact)};
  }
  std::vector<Stay> list;
  for (auto& [sid, stay] : stays) list.push_back(std::move(stay));
  return list;
}

bool is_older(const Room& one, const Room& other) {
  return std::pair(one.created_at, one.sid) < std::pair(other.created_at, other.sid);
}

// The user's next connection replaced this one.
std::optional<End> replaced(const Stay& stay, const std::vector<Stay>& stays) {
  std::optional<std::pair<int, std::string>> next;
  for (const auto& other : stays) {
    const std::pair began(other.began_at, other.sid);
    const bool later = began > std::pair(stay.began_at, stay.sid);
    if (other.user == stay.user && other.was_active && later && (!next || began < *next)) next = began;
  }
  if (!next || !stay.was_active) return std::nullopt;
  return End{next->first, "replaced"};
}

// The room was made anew.
std::optional<End> outlived(const Stay& stay, const std::vector<Fact>& facts) {
  std::optional<Room> next;
  for (const auto& fact : facts) {
    if (is_older(stay.room, fact.room) && (!next || is_older(fact.room, *next))) next = fact.room;
  }
  if (!next) return std::nullopt;
  return End{std::max(next->created_at, stay.began_at), "reconciled"};
}

std::string line(const Stay& stay, const std::optional<End>& end) {
  const auto from = stay.was_active ? std::optional(stay.began_at) : std::nullopt;
  if (!end) return stay_line(stay.user, stay.sid, from, std::nullopt, "active");
  return stay_line(stay.user, stay.sid, from, end->at, end->reason);
}

int newest_token(const History& history, int before) {
  int newest = 0;
  for (const auto& token : history.tokens) newest = token.at < before ? std::max(newest, token.at) : newest;
  return newest;
}

// The end of the newest generation, if that is told of.
std::optional<Fact> last_finish(const std::vector<Fact>& facts) {
  const auto newest = std::ranges::max_element(facts, is_older, &Fact::room);
  for (const auto& fact : facts) {
    if (fact.kind == Kind::finished && fact.room.sid == newest->room.sid) return fact;
  }
  return std::nullopt;
}

std::optional<End> first_of(std::initializer_list<std::optional<End>> ends) {
  for (const auto& end : ends) {
    if (end) return end;
  }
  return std::nullopt;
}

// The API left the call alone: LiveKit's facts say all.
std::string without_api(const History& history) {
  const auto& facts = history.facts;
  const auto finish = last_finish(facts);
  const bool waits = finish && somebody_is_on_the_way(history, *finish);
  std::optional<End> with_call;
  if (finish && !waits) with_call = End{finish->moment(), "call_ended"};
  std::string text = call_line(with_call ? "room_finished"
                               : waits   ? "waits"
                                         : "active",
                               with_call ? std::optional(with_call->at)
                               : waits   ? std::optional(newest_token(history, 1'000'000) + 60'000)
                                         : std::nullopt);
  const auto stays = stays_in(facts);
  for (const auto& stay : stays) {
    text += line(stay, first_of({stay.departure, replaced(stay, stays), outlived(stay, facts), with_call}));
  }
  return text;
}

// The API's end is final for whoever it found there; others' ends may become better known.
std::string with_api(const History& history) {
  const int ended_at = *history.ended_at;
  const End with_call{ended_at, "call_ended"};
  std::vector<Fact> before;
  for (const auto& fact : history.facts) {
    if (history.is_told_before_the_end(fact)) before.push_back(fact);
  }
  const auto known = stays_in(before);
  auto all = stays_in(history.facts);
  std::erase_if(all, [&](const Stay& stay) {
    return std::ranges::find(known, stay.sid, &Stay::sid) == known.end() && stay.began_at > ended_at;
  });
  std::string text = call_line("ended", ended_at);
  for (auto& stay : all) {
    const auto then = std::ranges::find(known, stay.sid, &Stay::sid);
    const bool had_departed = then != known.end() && then->departure;
    const bool was_guessed = then != known.end() && (replaced(*then, known) || outlived(*then, before));
    std::optional<End> end = with_call;
    if (had_departed) end = then->departure;
    if (!had_departed && was_guessed)
      end = first_of({stay.departure, replaced(stay, all), outlived(stay, history.facts)});
    end->at = std::min(end->at, ended_at);
    text += line(stay, end);
  }
  return text;
}

std::string second(std::optional<int> at) {
  return at ? std::to_string(*at / 1000) : "never";
}

}  // namespace

std::string reference(const History& history) {
  if (history.ended_at) return with_api(history);
  return without_api(history);
}

bool somebody_is_on_the_way(const History& history, const Fact& finished) {
  const auto stays = stays_in(history.facts);
  std::optional<int> last_left;
  for (const auto& stay : stays) {
    if (stay.room.sid != finished.room.sid) continue;
    const auto end = first_of({stay.departure, replaced(stay, stays)});
    if (!end) return false;
    last_left = std::max(last_left.value_or(0), end->at);
  }
  return last_left && newest_token(history, finished.happened_at) > *last_left;
}

std::string call_line(const std::string& end, std::optional<int> at) {
  return "  call " + end + " " + second(at) + "\n";
}

std::string stay_line(const std::string& user, const std::string& sid, std::optional<int> from, std::optional<int> to,
                      const std::string& reason) {
  return "  " + user + " " + sid + " from " + second(from) + " to " + second(to) + ": " + reason + "\n";
}

}  // namespace call_service::history
