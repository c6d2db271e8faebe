#include "livekit/webhook_event.hpp"

#include <gtest/gtest.h>

#include <map>

#include "livekit/enums.hpp"
#include "recorded_webhooks.hpp"

namespace call_service::livekit {
namespace {

using namespace std::chrono_literals;

TEST(WebhookEvent, reads_every_recorded_body_of_a_real_server) {
  std::map<std::string, int> seen;
  for (const auto& webhook : test::read_recorded_webhooks()) {
    const auto event = parse_webhook_event(webhook.body);
    ASSERT_TRUE(event.has_value()) << event.error() << webhook.body;
    ++seen[event->type_name];
    EXPECT_TRUE(event->id.starts_with("EV_"));
    EXPECT_LT(std::chrono::abs(event->created_at - webhook.at), 10s);
    ASSERT_TRUE(event->room.has_value());
    EXPECT_TRUE(event->room->sid.starts_with("RM_"));
    EXPECT_EQ(event->type == EventType::other, event->type_name.starts_with("track_"));
    EXPECT_EQ(event->participant.has_value(), !event->type_name.starts_with("room_"));
    if (event->type != EventType::other) {
      EXPECT_TRUE(event->room->created_at.has_value());
      EXPECT_EQ(name_of(event->type), event->type_name);
    }
    if (event->type_name.starts_with("participant_")) {
      EXPECT_TRUE(event->participant->sid.starts_with("PA_"));
      EXPECT_EQ(event->participant->kind, "STANDARD");
      EXPECT_TRUE(event->participant->joined_at.has_value());
      EXPECT_EQ(event->participant->disconnect_reason == "UNKNOWN_REASON", event->type_name == "participant_joined");
    }
  }
  EXPECT_EQ(seen["participant_joined"], 14);
  EXPECT_EQ(seen["participant_connection_aborted"], 2);
}

constexpr std::string_view joined_camel =
    R"({"event":"participant_joined","room":{"sid":"RM_1","name":"call-42","creationTime":"1767225600","creationTimeMs":"1767225600123"},)"
    R"("participant":{"sid":"PA_1","identity":"user-7","state":"ACTIVE","joinedAt":"1767225610","joinedAtMs":"1767225610456",)"
    R"("kind":"SIP","disconnectReason":"JOIN_FAILURE","attributes":{"session_id":"s-1","role":"host"}},"id":"EV_1","createdAt":"1767225611"})";
constexpr std::string_view joined_snake =
    R"({"event":"participant_joined","room":{"sid":"RM_1","name":"call-42","creation_time":1767225600,"creation_time_ms":1767225600123},)"
    R"("participant":{"sid":"PA_1","identity":"user-7","state":"ACTIVE","joined_at":1767225610,"joined_at_ms":1767225610456,)"
    R"("kind":"SIP","disconnect_reason":"JOIN_FAILURE","attributes":{"session_id":"s-1"}},"id":"EV_1","created_at":1767225611})";

TEST(WebhookEvent, reads_both_spellings_and_both_forms_of_numbers) {
  for (const std::string_view body : {joined_camel, joined_snake}) {
    const auto event = parse_webhook_event(body);
    ASSERT_TRUE(event.has_value()) << event.error();
    EXPECT_EQ(event->id, "EV_1");
    EXPECT_EQ(event->type, EventType::participant_joined);
    EXPECT_EQ(event->created_at, Timestamp(1767225611s));
    EXPECT_EQ(event->room->sid, "RM_1");
    EXPECT_EQ(event->room->name, "call-42");
    EXPECT_EQ(event->room->created_at, Timestamp(1767225600123ms));
    EXPECT_EQ(event->participant->sid, "PA_1");
    EXPECT_EQ(event->participant->identity, "user-7");
    EXPECT_EQ(event->participant->kind, "SIP");
    EXPECT_EQ(event->participant->joined_at, Timestamp(1767225610456ms));
    EXPECT_EQ(event->participant->session_id, "s-1");
    EXPECT_EQ(event->participant->disconnect_reason, "JOIN_FAILURE");
  }
}

TEST(WebhookEvent, takes_defaults_for_what_is_left_out_or_null) {
  for (const std::string_view rest : {"", R"(,"kind":null,"joinedAt":null,"attributes":null)"}) {
    const auto event =
        parse_webhook_event(R"({"event":"participant_left","room":{"sid":"R","name":"n"},"participant":{"sid":"P")" +
                            std::string(rest) + R"(,"identity":"u"},"id":"E","createdAt":"0"})");
    ASSERT_TRUE(event.has_value()) << event.error();
    EXPECT_EQ(event->participant->kind, "STANDARD");
    EXPECT_EQ(event->participant->disconnect_reason, "UNKNOWN_REASON");
    EXPECT_EQ(event->participant->joined_at, std::nullopt);
    EXPECT_EQ(event->participant->session_id, std::nullopt);
    EXPECT_EQ(event->room->created_at, std::nullopt);
    EXPECT_EQ(event->created_at, Timestamp{});
  }
}

TEST(WebhookEvent, falls_back_to_whole_seconds_and_takes_enum_numbers) {
  const auto event = parse_webhook_event(
      R"({"event":"participant_left","room":{"sid":"R","name":"n","creationTime":"1767225600"},)"
      R"("participant":{"sid":"P","identity":"u","joinedAt":1.767225610e9,"joinedAtMs":"0","kind":99,"disconnectReason":0},"id":"E"})");
  ASSERT_TRUE(event.has_value()) << event.error();
  EXPECT_EQ(event->room->created_at, Timestamp(1767225600s));
  EXPECT_EQ(event->participant->joined_at, Timestamp(1767225610s));
  EXPECT_EQ(event->participant->kind, "99");
  EXPECT_EQ(event->participant->disconnect_reason, "UNKNOWN_REASON");
}

TEST(WebhookEvent, names_the_numbers_of_enums) {
  const auto participant_of = [](const std::string& members) {
    const auto event = parse_webhook_event(R"({"event":"participant_left","id":"E","room":{"sid":"R","name":"n"},)"
                                           R"("participant":{"sid":"P","identity":"u",)" +
                                           members + "}}");
    return event.value().participant.value();
  };
  for (const auto& [number, name] : participant_kinds) {
    EXPECT_EQ(participant_of("\"kind\":" + std::to_string(number)).kind, name);
  }
  for (const auto& [number, name] : disconnect_reasons) {
    EXPECT_EQ(participant_of("\"disconnectReason\":" + std::to_string(number)).disconnect_reason, name);
  }
  EXPECT_EQ(participant_of(R"("disconnect_reason":4)").disconnect_reason, "PARTICIPANT_REMOVED");
  EXPECT_EQ(participant_of(R"("disconnectReason":14.0)").disconnect_reason, "CONNECTION_TIMEOUT");
  EXPECT_EQ(participant_of(R"("kind":5,"disconnectReason":-1)").kind, "5");
  EXPECT_EQ(participant_of(R"("kind":5,"disconnectReason":-1)").disconnect_reason, "-1");
}

TEST(WebhookEvent, other_events_need_only_id_and_name) {
  for (const char* body :
       {R"({"event":"egress_started","egressInfo":{"egressId":"EG_1"},"id":"E"})", R"({"event":"brand_new","id":"E"})",
        R"({"event":"track_published","room":{"name":"n"},"participant":{},"id":"E","numDropped":3})"}) {
    const auto event = parse_webhook_event(body);
    ASSERT_TRUE(event.has_value()) << event.error();
    EXPECT_EQ(event->type, EventType::other);
    EXPECT_EQ(name_of(event->type), "other");
  }
}

std::string with_id(const std::string& id) {
  return R"({"event":"room_started","room":{"sid":"R","name":"n"},"id":")" + id + "\"}";
}

TEST(WebhookEvent, refuses_what_is_malformed) {
  ASSERT_TRUE(parse_webhook_event(with_id(std::string(256, 'x'))).has_value());
  for (const std::string& body : std::initializer_list<std::string>{
           "",
           "null",
           "[]",
           "{}",
           "\"x\"",
           "{\"event\":\"x\",\"id\":\"\xff\"}",
           R"({"event":"x","id":"E"} trailing)",
           R"({"event":"x"})",
           R"({"id":"E"})",
           R"({"event":"","id":"E"})",
           R"({"event":"x","id":""})",
           R"({"event":7,"id":"E"})",
           R"({"event":"x","id":7})",
           with_id(std::string(257, 'x')),
           with_id("a\\u0000b"),
           with_id("a\\nb"),
           with_id("a\\u007f"),
           R"({"event":"room_started","id":"E"})",
           R"({"event":"room_started","room":null,"id":"E"})",
           R"({"event":"room_started","room":[],"id":"E"})",
           R"({"event":"room_started","room":{"name":"n"},"id":"E"})",
           R"({"event":"room_started","room":{"sid":"R"},"id":"E"})",
           R"({"event":"room_started","room":{"sid":"R","name":1},"id":"E"})",
           R"({"event":"participant_joined","room":{"sid":"R","name":"n"},"id":"E"})",
           R"({"event":"participant_joined","room":{"sid":"R","name":"n"},"participant":{"sid":"P"},"id":"E"})",
           R"({"event":"participant_joined","room":{"sid":"R","name":"n"},"participant":{"identity":"u"},"id":"E"})",
       }) {
    const auto event = parse_webhook_event(body);
    ASSERT_FALSE(event.has_value()) << body;
    EXPECT_FALSE(event.error().empty()) << body;
  }
}

TEST(WebhookEvent, refuses_absurd_numbers_and_wrong_types) {
  for (const char* number :
       {"-1", "\"-1\"", "1.5", "1e300", "9223372036854775807", "18446744073709551615", "\"1e3\"", "\"\"", "\" 1\"",
        "\"0x10\"", "253402300800", "true", "[1]", "{}", "\"99999999999999999999\""}) {
    EXPECT_FALSE(parse_webhook_event(R"({"event":"x","id":"E","createdAt":)" + std::string(number) + "}").has_value())
        << number;
  }
  for (const char* member : {R"("kind":[])", R"("disconnectReason":{})", R"("joinedAtMs":253402300800000)",
                             R"("attributes":[])", R"("attributes":{"session_id":7})"}) {
    EXPECT_FALSE(parse_webhook_event(R"({"event":"x","id":"E","participant":{)" + std::string(member) + "}}"))
        << member;
  }
}

TEST(WebhookEvent, ignores_a_session_id_that_cannot_be_one) {
  for (const std::string& text : {std::string(), std::string("a\\nb"), std::string(257, 'x')}) {
    const auto event =
        parse_webhook_event(R"({"event":"x","id":"E","participant":{"attributes":{"session_id":")" + text + R"("}}})");
    ASSERT_TRUE(event.has_value()) << event.error();
    EXPECT_EQ(event->participant->session_id, std::nullopt);
  }
}

}  // namespace
}  // namespace call_service::livekit
