#include "services/reconcile_rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace call_service::rules {
namespace {

using models::CallStatus;
using models::EndEvidence;
using models::Session;
using models::SessionStatus;

constexpr Timestamp at(int seconds) {
  return Timestamp(Seconds(1'795'361'960 + seconds));
}

Uuid id(std::uint8_t number) {
  Uuid made;
  made.bytes[15] = number;
  return made;
}

Session pending(std::uint8_t number, const std::string& user, int token_expires_at) {
  Session session{.session_id = id(number), .user_id = user, .name = user, .created_at = at(0)};
  session.token_expires_at = at(token_expires_at);
  return session;
}

Session active(std::uint8_t number, const std::string& user, const std::string& sid, int joined_at) {
  Session session{.session_id = id(number), .user_id = user, .name = user, .created_at = at(0)};
  session.status = SessionStatus::active;
  session.joined_at = at(joined_at);
  session.participant_sid = sid;
  session.room_sid = "RM_1";
  return session;
}

// A call started at 0, whose newest token is of that moment.
CallState call_with(std::vector<Session> sessions) {
  CallState state;
  state.call.started_at = at(0);
  state.call.token_issued_at = at(0);
  state.call.room_sid = "RM_1";
  for (const auto& session : sessions) {
    if (session.joined_at) state.call.entered_at = session.joined_at;
  }
  state.latest_moment = at(0);
  state.sessions = std::move(sessions);
  return state;
}

Absence missing(std::vector<std::string> connections, int asked_at) {
  Absence absence{.room_sids = {"RM_1"}, .connections = std::move(connections), .asked_at = at(asked_at)};
  absence.watched_since = at(0);
  absence.departure_timeout = Seconds(60);
  return absence;
}

Absence no_room(std::vector<std::string> connections, int asked_at) {
  auto absence = missing(std::move(connections), asked_at);
  absence.room = true;
  return absence;
}

Silence silence(int asked_at, int never_joined = 900) {
  Silence made{.room_sids = {"RM_1"}, .asked_at = at(asked_at)};
  made.never_joined_timeout = Seconds(never_joined);
  return made;
}

std::string end_of(const Session& session) {
  if (session.is_open()) return std::string(name_of(session.status));
  return *session.end_reason + " at " + std::to_string(std::chrono::floor<Seconds>(*session.left_at - at(0)).count());
}

std::string end_of(const models::Call& call) {
  if (call.is_active()) return "active";
  return *call.end_reason + " at " + std::to_string(std::chrono::floor<Seconds>(*call.ended_at - at(0)).count());
}

// The sessions that changed, one a line.
std::string ends(const Changes& changes) {
  std::string all;
  for (const auto& session : changes.sessions) all += session.user_id + ": " + end_of(session) + "\n";
  return all;
}

TEST(Absence, EndsASessionWhenItWasLastSeen) {
  const auto state = call_with({active(1, "ada", "PA_1", 10), active(2, "bob", "PA_2", 20)});
  auto absence = missing({"PA_1"}, 100);
  absence.last_seen = at(95);
  const auto changes = conclude_absence(state, absence);
  EXPECT_EQ(ends(changes), "ada: reconciled at 95\n");
  EXPECT_EQ(changes.sessions.front().end_evidence, EndEvidence::reconciler);
  EXPECT_EQ(end_of(changes.call), "active");
}

TEST(Absence, OfWhoWasNeverSeenEndsItWhenItBegan) {
  const auto changes = conclude_absence(call_with({active(1, "ada", "PA_1", 10)}), missing({"PA_1"}, 100));
  EXPECT_EQ(ends(changes), "ada: reconciled at 10\n");
}

TEST(Absence, IsOlderThanAJoinThatCameLater) {
  auto absence = missing({"PA_1"}, 100);
  absence.last_seen = at(5);
  EXPECT_EQ(ends(conclude_absence(call_with({active(1, "ada", "PA_1", 10)}), absence)), "ada: reconciled at 10\n");
  // A connection that nobody asked about, because it was not on record then.
  EXPECT_EQ(ends(conclude_absence(call_with({active(1, "ada", "PA_9", 10)}), absence)), "");
}

TEST(Absence, NeverEndsAPendingSession) {
  const auto state = call_with({pending(1, "ada", 1), active(2, "bob", "PA_2", 20)});
  EXPECT_EQ(ends(conclude_absence(state, missing({"PA_2"}, 10'000))), "bob: reconciled at 20\n");
}

TEST(Absence, ChangesNothingInAnEndedCall) {
  auto state = call_with({active(1, "ada", "PA_1", 10)});
  state.call.status = CallStatus::ended;
  EXPECT_FALSE(changes_something(state, conclude_absence(state, no_room({"PA_1"}, 1'000))));
}

TEST(AbsentRoom, EndsItsCallWhenNobodyWasSeenForTheDepartureTimeOut) {
  auto state = call_with({pending(1, "ada", 600)});
  state.call.entered_at = at(5);
  state.room_last_left = at(40);
  EXPECT_EQ(end_of(conclude_absence(state, no_room({}, 99)).call), "active");
  const auto changes = conclude_absence(state, no_room({}, 100));
  EXPECT_EQ(end_of(changes.call), "reconciled at 40");
  EXPECT_EQ(ends(changes), "ada: call_ended at 40\n");
  EXPECT_FALSE(changes.delete_room);
}

TEST(AbsentRoom, EndsItsCallTogetherWithTheLastSession) {
  const auto state = call_with({active(1, "ada", "PA_1", 10)});
  auto absence = no_room({"PA_1"}, 200);
  absence.last_seen = at(100);
  const auto changes = conclude_absence(state, absence);
  EXPECT_EQ(ends(changes), "ada: reconciled at 100\n");
  EXPECT_EQ(end_of(changes.call), "reconciled at 100");
}

TEST(AbsentRoom, DoesNotCountTheTimeInWhichNobodyCouldLook) {
  auto absence = no_room({"PA_1"}, 1'000);
  absence.watched_since = at(990);
  const auto changes = conclude_absence(call_with({active(1, "ada", "PA_1", 10)}), absence);
  EXPECT_EQ(ends(changes), "ada: reconciled at 10\n");
  EXPECT_EQ(end_of(changes.call), "active");
}

TEST(AbsentRoom, KeepsItsCallWhile) {
  auto state = call_with({});
  state.call.entered_at = at(5);
  state.room_last_left = at(40);
  const auto expect_kept = [](const CallState& kept, const Absence& absence) {
    EXPECT_FALSE(changes_something(kept, conclude_absence(kept, absence)));
  };
  auto fresh = state;
  fresh.call.token_issued_at = at(941);  // somebody is on the way
  expect_kept(fresh, no_room({}, 1'000));
  auto closing = state;
  closing.call.closes_at = at(2'000);  // that timer asks itself
  expect_kept(closing, no_room({}, 1'000));
  auto never_entered = state;
  never_entered.call.entered_at.reset();  // that is never_joined's
  expect_kept(never_entered, no_room({}, 1'000));
  auto anew = state;
  anew.call.room_sid = "RM_2";  // made since LiveKit was asked
  expect_kept(anew, no_room({}, 1'000));
  auto inhabited = state;
  inhabited.sessions.push_back(active(1, "ada", "PA_1", 990));
  expect_kept(inhabited, no_room({}, 1'000));
  expect_kept(state, missing({}, 1'000));  // the room is there
}

TEST(SilenceOfASession, EndsItAMinuteAfterItsToken) {
  const auto state = call_with({pending(1, "ada", 600), pending(2, "bob", 601)});
  EXPECT_EQ(ends(conclude_silence(state, silence(659, 0))), "");
  const auto changes = conclude_silence(state, silence(660, 0));
  EXPECT_EQ(ends(changes), "ada: never_joined at 660\n");
  EXPECT_EQ(changes.sessions.front().end_evidence, EndEvidence::timer);
  EXPECT_EQ(end_of(changes.call), "active");
}

TEST(SilenceOfASession, IsBrokenByItsUserOnAnyConnectionThatIsNotOnRecord) {
  auto heard = silence(1'000, 0);
  heard.people = {{.sid = "PA_9", .identity = "ada"}};
  EXPECT_EQ(ends(conclude_silence(call_with({pending(1, "ada", 600)}), heard)), "");
  heard.people = {{.sid = "PA_9", .identity = "bob"}};
  EXPECT_EQ(ends(conclude_silence(call_with({pending(1, "ada", 600)}), heard)), "ada: never_joined at 660\n");
  heard.people = {{.sid = "PA_1", .identity = "ada"}};
  const auto on_two = call_with({active(1, "ada", "PA_1", 10), pending(2, "ada", 600)});
  EXPECT_EQ(ends(conclude_silence(on_two, heard)), "ada: never_joined at 660\n");
}

TEST(SilenceOfACall, EndsItWithAllSessionsAndItsRoom) {
  const auto state = call_with({pending(1, "ada", 5'000), pending(2, "bob", 5'000)});
  EXPECT_FALSE(changes_something(state, conclude_silence(state, silence(899))));
  const auto changes = conclude_silence(state, silence(900));
  EXPECT_EQ(end_of(changes.call), "never_joined at 900");
  EXPECT_EQ(ends(changes), "ada: never_joined at 900\nbob: never_joined at 900\n");
  EXPECT_TRUE(changes.delete_room);
  EXPECT_EQ(changes.call.room_deletion, "pending");
  EXPECT_FALSE(changes_something(state, conclude_silence(state, silence(4'000, 0)))) << "0: never";
}

TEST(SilenceOfACall, IsBrokenByAnybody) {
  const auto state = call_with({pending(1, "ada", 5'000)});
  auto heard = silence(1'000);
  heard.people = {{.sid = "PA_9", .identity = "carol"}};
  EXPECT_FALSE(changes_something(state, conclude_silence(state, heard)));
  auto entered = state;
  entered.call.entered_at = at(10);
  EXPECT_FALSE(changes_something(entered, conclude_silence(entered, silence(1'000))));
  auto newer = state;
  newer.call.token_issued_at = at(200);
  EXPECT_FALSE(changes_something(newer, conclude_silence(newer, silence(1'000))));
  auto anew = state;
  anew.call.room_sid = "RM_2";
  EXPECT_FALSE(changes_something(anew, conclude_silence(anew, silence(1'000))));
}

TEST(SilenceOfAFinishedRoom, EndsTheCallUnlessTheRoomIsBack) {
  auto state = call_with({pending(1, "bob", 5'000)});
  state.call.entered_at = at(10);
  state.call.closes_at = at(100);
  EXPECT_FALSE(changes_something(state, conclude_silence(state, silence(99))));
  EXPECT_EQ(end_of(conclude_silence(state, silence(100)).call), "room_finished at 100");
  auto back = silence(100);
  back.room = true;
  const auto kept = conclude_silence(state, back);
  EXPECT_EQ(end_of(kept.call), "active");
  EXPECT_EQ(kept.call.closes_at, std::nullopt);
  EXPECT_TRUE(changes_something(state, kept));
}

TEST(Departed, IsTheEndedSessionOfAConnection) {
  auto left = active(1, "ada", "PA_1", 10);
  left.status = SessionStatus::ended;
  const auto state = call_with({left, active(2, "ada", "PA_2", 20), pending(3, "bob", 600)});
  ASSERT_NE(departed(state, "PA_1"), nullptr);
  EXPECT_EQ(departed(state, "PA_1")->session_id, id(1));
  EXPECT_EQ(departed(state, "PA_2"), nullptr);
  EXPECT_EQ(departed(state, "PA_3"), nullptr);
}

TEST(MayBeOver, IsWhatOneLookCanTell) {
  repositories::OpenCall call{.room_sid = "RM_1", .token_issued_at = at(0), .entered_at = at(5)};
  auto absence = no_room({}, 100);
  absence.last_seen = at(40);
  EXPECT_TRUE(may_be_over(call, absence));
  absence.asked_at = at(99);
  EXPECT_FALSE(may_be_over(call, absence));
  absence.asked_at = at(100);
  absence.room = false;
  EXPECT_FALSE(may_be_over(call, absence));
  absence.room = true;
  call.connections = {"PA_1"};
  EXPECT_FALSE(may_be_over(call, absence));
}

}  // namespace
}  // namespace call_service::rules
