#include "fake_livekit/world.hpp"

#include <algorithm>
#include <utility>

namespace call_service::fake_livekit {
namespace {

constexpr int not_found = 404;
constexpr int internal_error = 500;
constexpr std::size_t turn_password_length = 43;

auto find_participant(auto& room, const std::string& identity) {
  return std::ranges::find(room.participants, identity, &Participant::identity);
}

Participant make_participant(const Join& join) {
  const Claims& claims = join.claims;
  Participant participant;
  participant.identity = claims.identity;
  participant.name = claims.name;
  participant.metadata = claims.metadata;
  participant.attributes = claims.attributes;
  participant.kind = claims.kind;
  participant.state = join.media ? "ACTIVE" : "JOINING";
  participant.can_publish = claims.can_publish;
  participant.can_subscribe = claims.can_subscribe;
  participant.can_publish_data = claims.can_publish_data;
  participant.hidden = claims.hidden;
  return participant;
}

}  // namespace

World::World(const Clock& clock, std::uint64_t seed, Tell tell)
    : clock_(clock), tell_(std::move(tell)), random_(seed) {}

void World::tell(std::string_view type, const Room& room, const Participant* participant) {
  tell_(make_event(random_.word("EV_"), type, room, participant, clock_.now()));
}

Room* World::find_room(const std::string& name) {
  const auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : &found->second;
}

const Room* World::find_room(const std::string& name) const {
  const auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : &found->second;
}

Room& World::open_room(const std::string& name, const RoomSettings& settings) {
  const Timestamp now = clock_.now();
  Room room{.sid = random_.word("RM_"), .name = name, .settings = settings, .created_at = now};
  room.turn_password = random_.word("", turn_password_length);
  room.closes_at = now + Seconds(settings.empty_timeout);
  Room& opened = rooms_.insert_or_assign(name, std::move(room)).first->second;
  tell("room_started", opened, nullptr);
  return opened;
}

Room World::create_room(const std::string& name, const RoomSettings& settings) {
  const std::lock_guard lock(mutex_);
  const Room* existing = find_room(name);
  return existing != nullptr ? *existing : open_room(name, settings);
}

std::vector<Room> World::rooms(const std::vector<std::string>& names) const {
  const std::lock_guard lock(mutex_);
  std::vector<Room> found;
  for (const auto& [name, room] : rooms_) {
    if (names.empty() || std::ranges::find(names, name) != names.end()) found.push_back(room);
  }
  return found;
}

std::vector<Participant> World::participants(const std::string& room) const {
  const std::lock_guard lock(mutex_);
  const Room* found = find_room(room);
  return found != nullptr ? found->participants : std::vector<Participant>();
}

std::optional<Participant> World::participant(const std::string& room, const std::string& identity) const {
  const std::lock_guard lock(mutex_);
  const Room* found = find_room(room);
  if (found == nullptr) return std::nullopt;
  const auto place = find_participant(*found, identity);
  return place != found->participants.end() ? std::optional(*place) : std::nullopt;
}

std::optional<Participant> World::take_out(Room& room, const std::string& identity, const std::string& reason) {
  const auto place = find_participant(room, identity);
  if (place == room.participants.end()) return std::nullopt;
  Participant gone = std::move(*place);
  room.participants.erase(place);
  if (room.participants.empty()) room.closes_at = clock_.now() + Seconds(room.settings.departure_timeout);
  const bool had_media = gone.state == "ACTIVE";
  gone.state = "DISCONNECTED";
  gone.disconnect_reason = reason;
  tell(had_media ? "participant_left" : "participant_connection_aborted", room, &gone);
  return gone;
}

void World::close_room(const std::string& name, const std::string& reason) {
  Room* room = find_room(name);
  while (!room->participants.empty()) take_out(*room, std::string(room->participants.front().identity), reason);
  tell("room_finished", *room, nullptr);
  rooms_.erase(name);
}

bool World::delete_room(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (find_room(name) == nullptr) return false;
  close_room(name, "ROOM_DELETED");
  return true;
}

bool World::finish_room(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (find_room(name) == nullptr) return false;
  close_room(name, "ROOM_CLOSED");
  return true;
}

bool World::remove_participant(const std::string& room, const std::string& identity) {
  return leave(room, identity, "PARTICIPANT_REMOVED").has_value();
}

std::optional<Refusal> World::join_fault(const Claims& claims) const {
  if (auto fault = find_join_fault(claims)) return fault;
  if (find_room(claims.room) == nullptr && !auto_create_ && !claims.room_create)
    return Refusal{not_found, "requested room does not exist"};
  return std::nullopt;
}

std::optional<Refusal> World::check_join(const Claims& claims) const {
  const std::lock_guard lock(mutex_);
  return join_fault(claims);
}

Granted<Joined> World::join(const Join& join) {
  const std::lock_guard lock(mutex_);
  const Claims& claims = join.claims;
  if (auto fault = join_fault(claims)) return std::unexpected(std::move(*fault));
  Room* room = find_room(claims.room);
  if (room == nullptr) room = &open_room(claims.room, claims.room_config.value_or(RoomSettings()));
  const bool replaces = find_participant(*room, claims.identity) != room->participants.end();
  const auto limit = static_cast<std::size_t>(room->settings.max_participants);
  if (limit != 0 && room->participants.size() >= limit && !replaces)
    return std::unexpected(Refusal{internal_error, "connection closed by media"});
  take_out(*room, claims.identity, "DUPLICATE_IDENTITY");
  Participant participant = make_participant(join);
  participant.sid = random_.word("PA_");
  participant.joined_at = clock_.now();
  room->closes_at.reset();
  if (join.media) tell("participant_joined", *room, &participant);
  room->participants.push_back(participant);
  return Joined{room->sid, std::move(participant)};
}

std::optional<Participant> World::activate(const std::string& room, const std::string& identity) {
  const std::lock_guard lock(mutex_);
  Room* found = find_room(room);
  if (found == nullptr) return std::nullopt;
  const auto place = find_participant(*found, identity);
  if (place == found->participants.end()) return std::nullopt;
  if (place->state != "ACTIVE") {
    place->state = "ACTIVE";
    tell("participant_joined", *found, &*place);
  }
  return *place;
}

std::optional<Participant> World::leave(const std::string& room, const std::string& identity,
                                        const std::string& reason) {
  const std::lock_guard lock(mutex_);
  Room* found = find_room(room);
  return found != nullptr ? take_out(*found, identity, reason) : std::nullopt;
}

std::optional<Participant> World::crash(const std::string& room, const std::string& identity,
                                        Milliseconds noticed_after) {
  const std::lock_guard lock(mutex_);
  Room* found = find_room(room);
  if (found == nullptr) return std::nullopt;
  const auto place = find_participant(*found, identity);
  if (place == found->participants.end()) return std::nullopt;
  place->lost_at = clock_.now() + noticed_after;
  return *place;
}

Room World::place(const std::string& name, Placed placed) {
  const std::lock_guard lock(mutex_);
  Room* room = find_room(name);
  if (room == nullptr) {
    Room fresh{.sid = random_.word("RM_"), .name = name, .created_at = clock_.now()};
    fresh.turn_password = random_.word("", turn_password_length);
    room = &rooms_.insert_or_assign(name, std::move(fresh)).first->second;
  }
  for (Participant& participant : placed.participants) {
    if (participant.sid.empty()) participant.sid = random_.word("PA_");
  }
  room->sid = placed.sid.value_or(room->sid);
  room->created_at = placed.created_at.value_or(room->created_at);
  room->participants = std::move(placed.participants);
  room->closes_at.reset();
  return *room;
}

bool World::vanish(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return rooms_.erase(name) != 0;
}

void World::restart() {
  const std::lock_guard lock(mutex_);
  rooms_.clear();
}

void World::set_auto_create(bool on) {
  const std::lock_guard lock(mutex_);
  auto_create_ = on;
}

bool World::auto_create() const {
  const std::lock_guard lock(mutex_);
  return auto_create_;
}

void World::notice_lost(Room& room, Timestamp now) {
  std::vector<std::pair<std::string, bool>> lost;  // identity, whether it had media
  for (const Participant& participant : room.participants) {
    if (participant.lost_at && *participant.lost_at <= now)
      lost.emplace_back(participant.identity, participant.state == "ACTIVE");
  }
  for (const auto& [identity, had_media] : lost)
    take_out(room, identity, had_media ? "CONNECTION_TIMEOUT" : "JOIN_FAILURE");
}

void World::tick() {
  const std::lock_guard lock(mutex_);
  const Timestamp now = clock_.now();
  std::vector<std::string> over;
  for (auto& [name, room] : rooms_) {
    notice_lost(room, now);
    if (room.participants.empty() && room.closes_at && *room.closes_at <= now) over.push_back(name);
  }
  for (const std::string& name : over) close_room(name, "ROOM_CLOSED");
}

}  // namespace call_service::fake_livekit
