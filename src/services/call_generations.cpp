#include "services/call_generations.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/call_rules.hpp"

namespace call_service::rules {

namespace {

using models::Call;
using models::Session;

struct Room {
  std::string sid;
  std::optional<Timestamp> created_at;
};

std::pair<Timestamp, std::string_view> position(const Room& room) {
  return {room.created_at.value_or(Timestamp::min()), room.sid};
}

// As in calls.former_rooms: "RM_… 2026-11-22T15:39:21.123Z", or "RM_… -".
std::string written(const Room& room) {
  return room.sid + ' ' + (room.created_at ? format_timestamp(*room.created_at) : "-");
}

Room read(std::string_view text) {
  const auto space = text.rfind(' ');
  if (space == std::string_view::npos) return {std::string(text), std::nullopt};
  return {std::string(text.substr(0, space)), parse_timestamp(text.substr(space + 1))};
}

std::vector<Room> former_rooms(const Call& call) {
  std::vector<Room> rooms;
  if (!call.former_rooms) return rooms;
  for (const auto& text : *call.former_rooms) rooms.push_back(read(text));
  return rooms;
}

Room current_room(const Call& call) {
  return {*call.room_sid, call.room_created_at};
}

// Nobody's stay depends on a room that was made after the call had ended, however often somebody comes back.
void note_former(Call& call, const Room& room) {
  if (call.ended_at && room.created_at && *room.created_at > *call.ended_at) return;
  if (!call.former_rooms) call.former_rooms.emplace();
  call.former_rooms->push_back(written(room));
}

}  // namespace

Generation place(Call& call, const RoomFact& fact) {
  if (call.room_sid == fact.room_sid) {
    if (!call.room_created_at) call.room_created_at = fact.room_created_at;
    return Generation::current;
  }
  const bool first = !call.room_sid;
  if (!first) {
    const Room told{fact.room_sid, fact.room_created_at};
    const auto former = former_rooms(call);
    if (std::ranges::find(former, told.sid, &Room::sid) != former.end()) return Generation::older;
    const Room current = current_room(call);
    if (position({told.sid, told.created_at.value_or(fact.occurred_at)}) < position(current)) {
      note_former(call, told);
      return Generation::older;
    }
    note_former(call, current);
  }
  call.room_sid = fact.room_sid;
  call.room_created_at = fact.room_created_at;
  call.closes_at.reset();
  call.room_finished_at.reset();
  return first ? Generation::current : Generation::newer;
}

std::optional<Timestamp> succeeded_at(const Call& call, const Session& session) {
  if (!session.room_sid || !call.room_sid || session.room_sid == call.room_sid) return std::nullopt;
  const Timestamp began = session.joined_at.value_or(session.created_at);
  auto rooms = former_rooms(call);
  const auto found = std::ranges::find(rooms, *session.room_sid, &Room::sid);
  // A generation that was not noted is as old as its connection.
  const Room own = found != rooms.end() ? *found : Room{*session.room_sid, began};
  Room next = current_room(call);
  for (auto& room : rooms) {
    if (position(own) < position(room) && position(room) < position(next)) next = std::move(room);
  }
  return next.created_at.value_or(began);
}

}  // namespace call_service::rules
