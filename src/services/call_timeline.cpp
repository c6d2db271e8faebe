#include "services/call_timeline.hpp"

#include <algorithm>

#include "wire/write.hpp"

namespace call_service::rules {

namespace {

using models::Session;
using models::TimelineEntry;

// A JSON object of texts; those that are missing are left out.
class Detail {
 public:
  Detail& add(std::string_view name, const std::optional<std::string>& text) {
    if (!text) return *this;
    json_ += json_.empty() ? '{' : ',';
    json_ += wire::quote(name) + ':' + wire::quote(*text);
    return *this;
  }
  Detail& add(std::string_view name, std::optional<Timestamp> at) {
    return add(name, at.transform([](Timestamp time) { return format_timestamp(time); }));
  }

  std::optional<wire::JsonObject> object() const {
    if (json_.empty()) return std::nullopt;
    return wire::JsonObject{json_ + '}'};
  }

 private:
  std::string json_;
};

class Writer {
 public:
  Writer(const CallState& before, const Changes& after, const Told& told)
      : before_(before), after_(after), told_(told) {}

  std::vector<TimelineEntry> write() && {
    room();
    call();
    for (const auto& session : after_.sessions) this->session(session);
    if (after_.delete_room) add("room.deletion_requested");
    return std::move(entries_);
  }

 private:
  void room() {
    const auto& call = after_.call;
    if (call.room_sid && call.room_sid != before_.call.room_sid) {
      auto& entry = add("room.started");
      entry.occurred_at = call.room_created_at;
      entry.detail = Detail().add("room_sid", call.room_sid).object();
    }
    if (!told_.room_finished) return;
    auto& entry = add("room.finished");
    entry.occurred_at = told_.room_finished->moment();
    const bool waits = call.closes_at != before_.call.closes_at;
    entry.detail = Detail()
                       .add("room_sid", std::optional(told_.room_finished->room_sid))
                       .add("call_closes_at", waits ? call.closes_at : std::nullopt)
                       .object();
  }

  void call() {
    if (after_.call.is_active() || !before_.call.is_active()) return;
    auto& entry = add("call.ended");
    entry.occurred_at = after_.call.ended_at;
    entry.detail = Detail().add("end_reason", after_.call.end_reason).object();
  }

  void session(const Session& session) {
    const auto found = std::ranges::find(before_.sessions, session.session_id, &Session::session_id);
    const Session* old = found != before_.sessions.end() ? &*found : nullptr;
    if (old == nullptr) add("session.created", session).occurred_at = session.created_at;
    if (session.joined_at && (old == nullptr || !old->joined_at)) joined(session);
    if (session.is_open()) return;
    if (old == nullptr || old->is_open()) {
      left("session.left", session);
    } else if (old->left_at != session.left_at || old->end_reason != session.end_reason ||
               old->disconnect_reason != session.disconnect_reason) {
      left("session.updated", session);
    }
  }

  void joined(const Session& session) {
    auto& entry = add("session.joined", session);
    entry.occurred_at = session.joined_at;
    entry.detail = Detail().add("participant_sid", session.participant_sid).object();
  }

  void left(std::string_view type, const Session& session) {
    auto& entry = add(type, session);
    entry.occurred_at = session.left_at;
    entry.detail = Detail()
                       .add("end_reason", session.end_reason)
                       .add("disconnect_reason", session.disconnect_reason)
                       .add("participant_sid", session.participant_sid)
                       .object();
  }

  TimelineEntry& add(std::string_view type) {
    const auto written = static_cast<std::int64_t>(entries_.size());
    TimelineEntry entry{.call_id = after_.call.call_id, .seq = before_.last_seq + written + 1};
    entry.at = told_.now;
    entry.type = type;
    entry.cause = told_.cause;
    entry.event_id = told_.event_id;
    return entries_.emplace_back(std::move(entry));
  }

  TimelineEntry& add(std::string_view type, const Session& session) {
    auto& entry = add(type);
    entry.session_id = session.session_id;
    return entry;
  }

  const CallState& before_;
  const Changes& after_;
  const Told& told_;
  std::vector<TimelineEntry> entries_;
};

}  // namespace

std::vector<TimelineEntry> timeline_of(const CallState& before, const Changes& after, const Told& told) {
  return Writer(before, after, told).write();
}

}  // namespace call_service::rules
