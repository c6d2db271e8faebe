#include "webhooks.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <chrono>

namespace load {

namespace {

using Digest = std::array<unsigned char, 32>;

std::string base64(const unsigned char* bytes, std::size_t size, bool for_url) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0');  // OpenSSL ends it with a NUL
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<std::size_t>(length));
  if (!for_url) return text;
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string base64_url(std::string_view text) {
  return base64(reinterpret_cast<const unsigned char*>(text.data()), text.size(), true);
}

std::int64_t now_ms() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string seconds_of(std::string_view ms) {
  return std::string(ms.substr(0, ms.size() - 3));
}

// What stands in every room that LiveKit 1.13 tells of.
constexpr std::string_view codecs =
    R"("enabledCodecs":[{"mime":"audio/PCMU"}, {"mime":"audio/PCMA"}, {"mime":"audio/opus"}, {"mime":"audio/red"}, )"
    R"({"mime":"video/VP8"}, {"mime":"video/H264"}, {"mime":"video/VP9"}, {"mime":"video/AV1"}, {"mime":"video/H265"}, )"
    R"({"mime":"video/rtx"}])";

}  // namespace

std::optional<Request> MakeCalls::next() {
  if (!joins_.empty()) {
    Request join = std::move(joins_.front());
    joins_.pop_front();
    return join;
  }
  if (started_ == calls_.size()) return std::nullopt;
  auto& call = calls_[started_];
  call.guests.push_back({.user_id = users_.any(), .session_id = {}});
  const std::string body = R"({"caller_id":")" + call.guests[0].user_id + R"("})";
  return Request{write_request(target_, "POST /calls", body), 2 * started_++};
}

bool MakeCalls::answered(std::uint64_t tag, int status, std::string_view body) {
  auto& call = calls_[tag / 2];
  call.guests.back().session_id = member(body, "session_id");
  if (tag % 2 == 1) return status == 200;
  call.call_id = member(body, "call_id");
  call.guests.push_back({.user_id = "guest-of-" + call.guests[0].user_id, .session_id = {}});
  joins_.push_back(
      {write_request(target_, "POST /calls/" + call.call_id + "/join/" + call.guests[1].user_id), tag + 1});
  return status == 201;
}

Webhooks::Webhooks(const Signer& signer, std::vector<MadeCall> calls, std::size_t at_once)
    : signer_(signer), calls_(std::move(calls)), rooms_(calls_.size()) {
  while (begun_ < std::min(at_once, calls_.size())) ready_.push_back(begun_++);
}

std::optional<Request> Webhooks::next() {
  if (ready_.empty()) return std::nullopt;
  const std::size_t number = ready_.front();
  ready_.pop_front();
  const std::string body = event_of(number);
  std::string text =
      "POST /webhooks/livekit HTTP/1.1\r\nHost: bench\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: ";
  text += std::to_string(body.size()) + "\r\nAuthorization: " + sign(body);
  text += "\r\nContent-Type: application/webhook+json\r\nAccept-Encoding: gzip\r\n\r\n" + body;
  return Request{std::move(text), number};
}

bool Webhooks::answered(std::uint64_t tag, int status, std::string_view body) {
  if (++rooms_[tag].step < 2 + 2 * calls_[tag].guests.size()) {
    ready_.push_back(tag);
  } else if (begun_ < calls_.size()) {
    ready_.push_back(begun_++);
  }
  return status == 200 && member(body, "result") == "applied";
}

std::string Webhooks::event_of(std::size_t number) {
  Room& room = rooms_[number];
  const std::size_t guests = calls_[number].guests.size();
  std::string_view name = "room_finished";
  std::string participant;
  if (room.step == 0) {
    name = "room_started";
    room.sid = id("RM_");
    room.created_at_ms = std::to_string(now_ms());
  } else if (room.step <= guests) {
    name = "participant_joined";
    participant = participant_of(number, room.step - 1, false);
  } else if (room.step <= 2 * guests) {
    name = "participant_left";
    participant = participant_of(number, room.step - 1 - guests, true);
  }
  return R"({"event":")" + std::string(name) + R"(", )" + room_of(number) + participant + R"(, "id":")" + id("EV_") +
         R"(", "createdAt":")" + std::to_string(now_ms() / 1000) + R"("})";
}

std::string Webhooks::room_of(std::size_t number) const {
  const Room& room = rooms_[number];
  return R"("room":{"sid":")" + room.sid + R"(", "name":"call_)" + calls_[number].call_id +
         R"(", "emptyTimeout":1560, "departureTimeout":60, "creationTime":")" + seconds_of(room.created_at_ms) +
         R"(", "creationTimeMs":")" + room.created_at_ms +
         R"(", "turnPassword":"PFCHBlJsmvZTifhxKbr0qInVWKVwlxkpD45Wt39OQeD", )" + std::string(codecs) + "}";
}

std::string Webhooks::participant_of(std::size_t number, std::size_t guest, bool leaves) {
  const Guest& user = calls_[number].guests[guest];
  auto& joined_at = rooms_[number].joined_at_ms;
  if (!leaves) joined_at.push_back(std::to_string(now_ms()));
  const std::string sid = "PA_" + rooms_[number].sid.substr(3) + std::to_string(guest);
  return R"(, "participant":{"sid":")" + sid + R"(", "identity":")" + user.user_id + R"(", "state":")" +
         (leaves ? "DISCONNECTED" : "ACTIVE") + R"(", "joinedAt":")" + seconds_of(joined_at[guest]) +
         R"(", "joinedAtMs":")" + joined_at[guest] + R"(", "name":")" + user.user_id + R"(", "version":)" +
         (leaves ? "3" : "2") + R"(, "permission":{"canSubscribe":true, "canPublish":true, "canPublishData":true}, )" +
         R"("attributes":{"call_id":")" + calls_[number].call_id + R"(", "session_id":")" + user.session_id +
         R"("}, )" + (leaves ? R"("disconnectReason":"CLIENT_INITIATED", )" : "") +
         R"("clientProtocol":2, "capabilities":["CAP_PACKET_TRAILER", "CAP_COMPRESSION_DEFLATE_RAW"]})";
}

std::string Webhooks::id(std::string_view prefix) {
  constexpr std::string_view letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::string text(prefix);
  for (std::uint64_t value = random_(), i = 0; i < 10; ++i, value /= letters.size())
    text += letters[value % letters.size()];
  return text + letters[random_() % letters.size()] + letters[random_() % letters.size()];
}

// As LiveKit does: HS256 over claims that name the body's hash.
std::string Webhooks::sign(std::string_view body) const {
  Digest hash;
  EVP_Digest(body.data(), body.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
  const std::string now = std::to_string(now_ms() / 1000);
  const std::string claims = R"({"iss":")" + signer_.key + R"(","exp":)" + std::to_string(now_ms() / 1000 + 300) +
                             R"(,"nbf":)" + now + R"(,"iat":)" + now + R"(,"sha256":")" +
                             base64(hash.data(), hash.size(), false) + R"("})";
  std::string token = base64_url(R"({"alg":"HS256","typ":"JWT"})") + "." + base64_url(claims);
  Digest mac;
  HMAC(EVP_sha256(), signer_.secret.data(), static_cast<int>(signer_.secret.size()),
       reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac.data(), nullptr);
  return token + "." + base64(mac.data(), mac.size(), true);
}

}  // namespace load
