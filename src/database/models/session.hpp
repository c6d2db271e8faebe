#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/models/model.hpp"

namespace call_service::models {

enum class SessionStatus { pending, active, ended };
std::string_view name_of(SessionStatus status);
void parse(std::string_view name, SessionStatus& status);

// From what a session's end is known. A better evidence of the same end may replace a weaker one; the API's and a
// timer's word is never replaced.
//   api, timer       somebody asked for it, or a time-out of ours passed
//   departure        LiveKit's participant_left or participant_connection_aborted for this very connection
//   successor        the user's next connection began
//   room             room_finished
//   generation       the room was made anew, so its former connections are gone
//   reconciler       LiveKit, asked, did not know the connection any more
enum class EndEvidence { api, timer, departure, successor, room, generation, reconciler };
std::string_view name_of(EndEvidence evidence);
void parse(std::string_view name, EndEvidence& evidence);

// One stay of one user: the row of table `sessions`. The members down to `end_reason` are the contract's.
struct Session {
  Uuid session_id{};
  Uuid call_id{};
  std::string user_id{};
  std::string name{};
  SessionStatus status = SessionStatus::pending;
  Timestamp created_at{};
  std::optional<Timestamp> joined_at{};
  std::optional<Timestamp> left_at{};
  std::optional<std::string> disconnect_reason{};
  std::optional<std::string> end_reason{};

  std::optional<EndEvidence> end_evidence{};
  std::optional<std::string> participant_sid{};  // its one connection; LiveKit's PA_…
  std::optional<std::string> room_sid{};         // the generation of the room that connection was in
  std::optional<Timestamp> token_expires_at{};   // of the newest token handed out for it

  bool is_open() const { return status != SessionStatus::ended; }

  static constexpr std::string_view table = "sessions";
  static constexpr auto columns() {
    return std::tuple{
        db::column("session_id", &Session::session_id),
        db::column("call_id", &Session::call_id),
        db::column("user_id", &Session::user_id),
        db::column("name", &Session::name),
        db::column("status", &Session::status),
        db::column("created_at", &Session::created_at),
        db::column("joined_at", &Session::joined_at),
        db::column("left_at", &Session::left_at),
        db::column("disconnect_reason", &Session::disconnect_reason),
        db::column("end_reason", &Session::end_reason),
        db::column("end_evidence", &Session::end_evidence),
        db::column("participant_sid", &Session::participant_sid),
        db::column("room_sid", &Session::room_sid),
        db::column("token_expires_at", &Session::token_expires_at),
    };
  }
};

}  // namespace call_service::models
