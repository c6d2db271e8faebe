#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "base/time.hpp"
#include "http/client.hpp"
#include "livekit/access_token.hpp"

namespace call_service::livekit {

// Why a RoomService call has no answer.
//   unreachable: no HTTP answer in time, or 408/502/503/504: the outcome is unknown. Whether that is LiveKit's state or
//     this request's does not show in it: LiveKit itself answers 503 for what only a dead node could do
//   refused: LiveKit answered with an error (500, 400, 401, …): this request's outcome
struct ApiError {
  enum class Kind { unreachable, refused } kind;
  std::string what{};  // for the log; contains no token
  std::string code{};  // Twirp's, so LiveKit itself speaks; empty if that is not sure

  // No node of LiveKit serves what was asked about.
  bool is_nowhere() const { return code == "unavailable"; }
  // Our key is not accepted, or this is not LiveKit's API: so would be every other request.
  bool refuses_us() const {
    return kind == Kind::refused &&
           (code.empty() || code == "unauthenticated" || code == "permission_denied" || code == "bad_route");
  }
};

struct RoomInfo {
  std::string sid{};
  std::string name{};
  std::optional<Timestamp> created_at{};
};

// With what a room is created; ignored where it exists.
struct RoomSettings {
  std::string name{};
  Seconds empty_timeout{};
  Seconds departure_timeout{};
  std::optional<int> max_participants{};
};

struct ParticipantInfo {
  std::string sid{};
  std::string identity{};
  std::string state{};  // JOINING | JOINED | ACTIVE | DISCONNECTED
  std::string kind{};   // STANDARD | INGRESS | EGRESS | SIP | AGENT | …
  std::optional<Timestamp> joined_at{};
  std::optional<std::string> session_id{};  // attributes.session_id
};

// What became of a request to remove something: both are success (livekit.md, 2.4: not_found means it is gone).
enum class Removal { removed, not_found };

// LiveKit's RoomService over Twirp (JSON). To be used from the io_context it was made with. Every call takes at most
// `timeout` (5 s by default).
class RoomServiceClient {
 public:
  RoomServiceClient(Executor executor, http::Origin origin, ApiKey key, const Clock& clock,
                    std::chrono::milliseconds timeout = std::chrono::seconds(5));

  // Success also if the room was there.
  Task<std::expected<void, ApiError>> create_room(const RoomSettings& settings);
  Task<std::expected<Removal, ApiError>> delete_room(const std::string& room);
  Task<std::expected<Removal, ApiError>> remove_participant(const std::string& room, const std::string& identity);
  // nullopt: LiveKit says there is no such participant.
  Task<std::expected<std::optional<ParticipantInfo>, ApiError>> get_participant(const std::string& room,
                                                                                const std::string& identity);
  // `names` empty: all rooms.
  Task<std::expected<std::vector<RoomInfo>, ApiError>> list_rooms(const std::vector<std::string>& names);
  // An unknown room has no participants.
  Task<std::expected<std::vector<ParticipantInfo>, ApiError>> list_participants(const std::string& room);

  // Whether LiveKit answers RoomService at all, with these credentials (ListRooms of a name that cannot exist), on a
  // new connection.
  Task<std::expected<void, ApiError>> probe(std::chrono::milliseconds timeout);

  // When the newest of the requests that have waited for `length` or longer was begun; probes are none of them.
  std::optional<std::chrono::steady_clock::time_point> waiting_since(std::chrono::milliseconds length) const;

  void close();

 private:
  using Answer = std::expected<http::ClientResponse, ApiError>;

  Task<Answer> call(std::string method, std::string room, std::string body, bool resend = true);
  http::ClientRequest request_for(const std::string& method, const std::string& room, std::string body) const;

  http::Client client_;
  ApiKey key_;
  const Clock& clock_;
  std::chrono::milliseconds timeout_;
  std::multiset<std::chrono::steady_clock::time_point> waiting_;  // when the requests under way were begun
};

}  // namespace call_service::livekit
