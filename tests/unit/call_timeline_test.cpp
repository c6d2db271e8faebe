// What a decision changed, as entries of the timeline.

#include "services/call_timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call_rules_support.hpp"

namespace call_service::rules_test {
namespace {

using models::TimelineEntry;
using rules::timeline_of;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> types_of(const std::vector<TimelineEntry>& entries) {
  std::vector<std::string> types;
  for (const auto& entry : entries) types.push_back(entry.type);
  return types;
}

struct Fixture {
  Fixture() {
    state.call.call_id = make_uuid_v7(at(0));
    state.call.started_at = at(0);
    state.call.token_issued_at = at(0);
    state.last_seq = 7;
  }

  Session& add_session(const std::string& user) {
    Session session{.session_id = make_uuid_v7(at(0)), .call_id = state.call.call_id, .user_id = user};
    session.created_at = at(0);
    return state.sessions.emplace_back(std::move(session));
  }

  rules::CallState state;
};

TEST(CallTimeline, NumbersItsEntriesOnFromTheLast) {
  Fixture call;
  call.add_session("ada");
  const Connection connection{.sid = "PA_1", .identity = "ada", .joined_at = at(500)};
  const auto changes = decide(call.state, joined(connection), make_uuid_v7(at(500)));
  const auto entries = timeline_of(call.state, changes, {.cause = "webhook", .event_id = "EV_1", .now = at(600)});
  ASSERT_THAT(types_of(entries), ElementsAre("room.started", "session.joined"));
  EXPECT_EQ(entries[0].seq, 8);
  EXPECT_EQ(entries[1].seq, 9);
  EXPECT_EQ(entries[1].at, at(600));
  EXPECT_EQ(entries[1].occurred_at, at(500));
  EXPECT_EQ(entries[1].detail->text, R"({"participant_sid":"PA_1"})");
}

TEST(CallTimeline, TellsOfAConnectionThatNobodyAnnounced) {
  Fixture call;
  const Connection connection{.sid = "PA_1", .identity = "eve", .joined_at = at(500)};
  const auto changes = decide(call.state, left(connection, at(900)), make_uuid_v7(at(900)));
  const auto entries = timeline_of(call.state, changes, {.cause = "webhook", .now = at(900)});
  EXPECT_THAT(types_of(entries), ElementsAre("room.started", "session.created", "session.joined", "session.left"));
}

TEST(CallTimeline, SaysNothingWhereNothingChanged) {
  Fixture call;
  call.state.call.room_sid = "RM_1";
  call.state.call.room_created_at = at(0);
  const auto changes = decide(call.state, started(Room{}));
  EXPECT_THAT(timeline_of(call.state, changes, {.cause = "webhook", .now = at(1)}), IsEmpty());
}

TEST(CallTimeline, SaysUntilWhenAFinishedRoomsCallWaits) {
  Fixture call;
  call.state.room_was_entered = true;
  call.state.room_last_left = at(100);
  call.state.call.token_issued_at = at(2'000);
  const auto fact = finished(Room{}, at(3'000));
  const auto changes = decide(call.state, fact);
  const auto entries = timeline_of(call.state, changes, {.cause = "webhook", .room_finished = fact, .now = at(3'000)});
  ASSERT_THAT(types_of(entries), ElementsAre("room.started", "room.finished"));
  EXPECT_EQ(entries[1].detail->text,
            R"({"room_sid":"RM_1","call_closes_at":")" + format_timestamp(at(2'000) + rules::token_grace) + "\"}");
}

TEST(CallTimeline, NamesTheTimerThatEndsACall) {
  Fixture call;
  call.add_session("ada");
  call.state.call.closes_at = at(62'000);
  const auto changes = rules::close(call.state);
  const auto entries = timeline_of(call.state, changes, {.cause = "timer", .now = at(62'500)});
  ASSERT_THAT(types_of(entries), ElementsAre("call.ended", "session.left"));
  EXPECT_EQ(entries[0].cause, "timer");
  EXPECT_EQ(entries[0].occurred_at, at(62'000));
  EXPECT_EQ(entries[1].detail->text, R"({"end_reason":"call_ended"})");
}

}  // namespace
}  // namespace call_service::rules_test
