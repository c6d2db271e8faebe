#include "services/livekit_service.hpp"

namespace call_service::services {

namespace {

// A room that nobody entered must outlive the newest token, or the call would look finished while somebody is on the
// way. Where calls may wait for ever, LiveKit gets a day.
Seconds empty_timeout_of(const Config& config) {
  if (config.call_never_joined_timeout.count() == 0) return Seconds(86'400);
  return config.call_never_joined_timeout + config.livekit_token_ttl + Seconds(60);
}

}  // namespace

LivekitService::LivekitService(const Config& config)
    : key_{config.livekit_api_key, config.livekit_api_secret},
      url_(config.livekit_public_url),
      token_ttl_(config.livekit_token_ttl),
      empty_timeout_(empty_timeout_of(config)),
      departure_timeout_(config.room_departure_timeout) {}

// A token's times are whole seconds, so what is stored and answered is what LiveKit reads.
Timestamp LivekitService::expiry(Timestamp now) const {
  return std::chrono::floor<Seconds>(now) + token_ttl_;
}

Ticket LivekitService::ticket(const models::Call& call, const models::Session& session, Timestamp now,
                              Timestamp expires_at) const {
  const livekit::JoinGrant grant{.identity = session.user_id,
                                 .name = session.name,
                                 .room = call.room_name(),
                                 .call_id = call.call_id,
                                 .session_id = session.session_id,
                                 .issued_at = now,
                                 .expires_at = expires_at,
                                 .empty_timeout = empty_timeout_,
                                 .departure_timeout = departure_timeout_,
                                 .max_participants = call.max_participants};
  return {.token = make_join_token(key_, grant), .expires_at = expires_at, .url = url_};
}

}  // namespace call_service::services
