#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/models/model.hpp"
#include "wire/field.hpp"

namespace call_service::models {

enum class CallStatus { active, ended };
std::string_view name_of(CallStatus status);
void parse(std::string_view name, CallStatus& status);

// A call: the row of table `calls`. The members down to `room_deletion` are the contract's; the rest is how state stays
// true.
struct Call {
  Uuid call_id{};
  std::string caller_id{};
  CallStatus status = CallStatus::active;
  Timestamp started_at{};
  std::optional<Timestamp> ended_at{};         // written once
  std::optional<std::string> end_reason{};     // ended | room_finished | never_joined | max_duration | reconciled
  std::optional<std::string> ended_by{};       // a user id or the name of a service key
  std::optional<std::string> ended_by_type{};  // user | service
  std::optional<std::vector<std::string>> user_ids{};
  std::optional<int> max_participants{};
  std::optional<wire::JsonObject> metadata{};
  int participant_count = 0;                   // sessions now active
  std::optional<std::string> room_deletion{};  // pending | done

  std::int64_t version = 0;                    // grows with every change; decided commands are guarded by it
  std::optional<std::string> room_sid{};       // LiveKit's id of the newest generation of the room
  std::optional<Timestamp> room_created_at{};  // its creationTimeMs: tells which of two generations is newer
  std::optional<Timestamp> token_issued_at{};  // when the newest token was handed out
  std::optional<Timestamp> closes_at{};        // its room is finished, somebody may be on the way: when to stop waiting
  std::optional<Timestamp> entered_at{};       // when somebody first was in it
  std::optional<Timestamp> seen_at{};          // LiveKit, asked, last had everybody who is active in it
  std::optional<Timestamp> room_finished_at{};  // when the newest generation was finished
  // The generations before the newest, in no order, each with its creationTimeMs: "RM_… 2026-11-22T15:39:21.123Z".
  std::optional<std::vector<std::string>> former_rooms{};

  bool is_active() const { return status == CallStatus::active; }
  // call_<call_id>
  std::string room_name() const;

  static constexpr std::string_view table = "calls";
  static constexpr auto columns() {
    return std::tuple{
        db::column("call_id", &Call::call_id),
        db::column("caller_id", &Call::caller_id),
        db::column("status", &Call::status),
        db::column("started_at", &Call::started_at),
        db::column("ended_at", &Call::ended_at),
        db::column("end_reason", &Call::end_reason),
        db::column("ended_by", &Call::ended_by),
        db::column("ended_by_type", &Call::ended_by_type),
        db::column("user_ids", &Call::user_ids),
        db::column("max_participants", &Call::max_participants),
        db::column("metadata", &Call::metadata),
        db::column("participant_count", &Call::participant_count),
        db::column("room_deletion", &Call::room_deletion),
        db::column("version", &Call::version),
        db::column("room_sid", &Call::room_sid),
        db::column("room_created_at", &Call::room_created_at),
        db::column("token_issued_at", &Call::token_issued_at),
        db::column("closes_at", &Call::closes_at),
        db::column("entered_at", &Call::entered_at),
        db::column("seen_at", &Call::seen_at),
        db::column("room_finished_at", &Call::room_finished_at),
        db::column("former_rooms", &Call::former_rooms),
    };
  }
};

// call_<call_id>, and back: nullopt if the name is none of ours.
std::string room_name_of(const Uuid& call_id);
std::optional<Uuid> call_id_of_room(std::string_view room_name);

}  // namespace call_service::models
