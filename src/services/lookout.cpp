#include "services/lookout.hpp"

#include <algorithm>
#include <utility>

#include "base/at_once.hpp"
#include "database/models/call.hpp"
#include "log.hpp"
#include "schemas/text_rules.hpp"

namespace call_service::services {

namespace {

using rules::Look;
using rules::Seen;
using rules::SeenRoom;

constexpr std::size_t names_at_once = 100;
constexpr std::size_t most_at_once = 16;
// One room whose node hangs is no outage; several in a row are, and asking on would only wait.
constexpr int outage_after = 3;

bool concerns_us(const livekit::ParticipantInfo& participant) {
  return rules::is_person(participant.kind) && schemas::is_user_id(participant.identity) &&
         participant.state != "DISCONNECTED";
}

Seen seen_of(const livekit::ParticipantInfo& participant) {
  Seen seen{.sid = participant.sid, .identity = participant.identity, .is_connected = participant.state == "ACTIVE"};
  seen.joined_at = participant.joined_at;
  if (participant.session_id) seen.session_id = Uuid::parse(*participant.session_id);
  return seen;
}

std::optional<SeenRoom> room_named(const std::vector<livekit::RoomInfo>& rooms, const std::string& name) {
  const auto found = std::ranges::find(rooms, name, &livekit::RoomInfo::name);
  if (found == rooms.end()) return std::nullopt;
  return SeenRoom{.sid = found->sid, .created_at = found->created_at};
}

std::optional<std::string> sid_of(const std::optional<SeenRoom>& room) {
  return room.transform([](const SeenRoom& seen) { return seen.sid; });
}

}  // namespace

// What is gathered while one call of look() runs.
struct Lookout::Round {
  std::vector<Question> questions;
  Answers answers;
  int unanswered_in_a_row = 0;

  // nullptr: it answered. So did it where it says itself that it cannot tell.
  void note(const livekit::ApiError* error) {
    const bool is_silent =
        error != nullptr && error->kind == livekit::ApiError::Kind::unreachable && error->code.empty();
    unanswered_in_a_row = is_silent ? unanswered_in_a_row + 1 : 0;
    if (unanswered_in_a_row >= outage_after && !answers.outage) answers.outage = error->what;
  }
};

Task<Lookout::Answers> Lookout::look(std::vector<Question> questions) {
  Round round{.questions = std::move(questions), .answers = {}};
  const std::size_t count = round.questions.size();
  round.answers.looks.resize(count);
  for (std::size_t begin = 0; begin < count && !round.answers.outage; begin += names_at_once) {
    co_await look_at(round, begin, std::min(count, begin + names_at_once));
  }
  co_return std::move(round.answers);
}

Task<void> Lookout::look_at(Round& round, std::size_t begin, std::size_t end) {
  const Timestamp asked_at = clock_.now();
  const auto before = co_await rooms(round, begin, end);
  if (!before) co_return;
  auto& looks = round.answers.looks;
  for (std::size_t i = begin; i < end; ++i) {
    looks[i] =
        Look{.asked_at = asked_at, .room = room_named(*before, models::room_name_of(round.questions[i].call_id))};
  }
  auto ask = [&](std::size_t offset) { return ask_for_people(round, begin + offset); };
  co_await at_once(end - begin, most_at_once, ask);
  const auto after = co_await rooms(round, begin, end);
  for (std::size_t i = begin; i < end; ++i) {
    if (!looks[i]) continue;
    const bool is_known =
        after && sid_of(room_named(*after, models::room_name_of(round.questions[i].call_id))) == sid_of(looks[i]->room);
    const bool fits = looks[i]->room || looks[i]->people.empty();
    if (!is_known || !fits) looks[i].reset();
  }
}

Task<std::optional<std::vector<livekit::RoomInfo>>> Lookout::rooms(Round& round, std::size_t begin, std::size_t end) {
  std::vector<std::string> names;
  for (std::size_t i = begin; i < end; ++i) names.push_back(models::room_name_of(round.questions[i].call_id));
  auto listed = co_await livekit_.list_rooms(names);
  round.note(listed ? nullptr : &listed.error());
  if (!listed) {
    log::info("livekit_gave_no_rooms", {{"error", listed.error().what}});
    // Nothing can be said about any of them: that is as good as an outage of this round.
    if (listed.error().kind == livekit::ApiError::Kind::unreachable) round.answers.outage = listed.error().what;
    co_return std::nullopt;
  }
  co_return std::move(*listed);
}

Task<void> Lookout::ask_for_people(Round& round, std::size_t index) {
  auto& look = round.answers.looks[index];
  if (round.answers.outage) look.reset();
  if (!look || (!look->room && !round.questions[index].expects_people)) co_return;
  const Uuid call_id = round.questions[index].call_id;
  const auto listed = co_await livekit_.list_participants(models::room_name_of(call_id));
  round.note(listed ? nullptr : &listed.error());
  // A LiveKit that asks the room's node finds none. If there is no room before and after that, nobody is in it.
  if (!listed && listed.error().is_nowhere() && !look->room) co_return;
  if (!listed) {
    log::info("livekit_gave_no_participants", {{"call_id", call_id}, {"error", listed.error().what}});
    round.answers.looks[index].reset();
    co_return;
  }
  for (const auto& participant : *listed) {
    if (concerns_us(participant)) look->people.push_back(seen_of(participant));
  }
}

Task<std::optional<std::unordered_map<std::string, std::string>>> Lookout::all_rooms() {
  const std::vector<std::string> all;
  const auto listed = co_await livekit_.list_rooms(all);
  if (!listed) {
    log::info("livekit_gave_no_rooms", {{"error", listed.error().what}});
    co_return std::nullopt;
  }
  std::unordered_map<std::string, std::string> sids;
  for (const auto& room : *listed) sids.emplace(room.name, room.sid);
  co_return sids;
}

}  // namespace call_service::services
