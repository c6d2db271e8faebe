// Sessions and their connections while a call is active: the rows of the contract's table of events, one by one.

#include "call_rules_support.hpp"

namespace call_service::rules_test {
namespace {

Connection ada_on(const std::string& sid, int joined_at) {
  return {sid, "ada", at(joined_at)};
}

TEST(CallRulesSession, IsTheOneNamedInTheAttributes) {
  Scene scene;
  const Uuid first = scene.token("ada", at(0));
  scene.play(joined({"PA_1", "ada", at(100), first}));
  const Uuid second = scene.token("ada", at(200));
  scene.play(joined({"PA_2", "ada", at(300), second}));
  EXPECT_EQ(scene["PA_1"].session_id, first);
  EXPECT_EQ(scene["PA_2"].session_id, second);
  EXPECT_EQ(scene.sessions().size(), 2u);
}

TEST(CallRulesSession, BoundToTheSidIsMoreThanTheAttributes) {
  Scene scene;
  const Uuid first = scene.token("ada", at(0));
  scene.play(joined({"PA_1", "ada", at(100), first}));
  const Uuid second = scene.token("ada", at(200));
  scene.play(left({"PA_1", "ada", at(100), second}, at(500)));
  EXPECT_EQ(end_of(scene[first]), "left at 500");
  EXPECT_EQ(end_of(scene[second]), "pending");
}

TEST(CallRulesSession, WithoutTheAttributeIsThePendingOne) {
  Scene scene;
  const Uuid pending = scene.token("ada", at(0));
  scene.play(joined(ada_on("PA_1", 100)));
  EXPECT_EQ(scene["PA_1"].session_id, pending);
  EXPECT_EQ(scene.sessions().size(), 1u);
}

TEST(CallRulesSession, WithoutAnyIsNewUnderTheUsersLastName) {
  Scene scene;
  scene.play(joined(ada_on("PA_1", 100)));
  scene.play(joined(ada_on("PA_2", 200)));
  scene.play(joined({"PA_3", "bob", at(300)}));
  EXPECT_EQ(scene.sessions().size(), 3u);
  EXPECT_EQ(scene["PA_2"].name, "Name of ada");
  EXPECT_EQ(scene["PA_3"].name, "bob");
  EXPECT_EQ(scene["PA_3"].created_at, at(300));
}

TEST(CallRulesSession, NamedButNotToBeHadIsNewAndLeavesThePendingOneAlone) {
  Scene scene;
  const Uuid ada = scene.token("ada", at(0));
  const Uuid bob = scene.token("bob", at(0));
  scene.play(joined({"PA_1", "bob", at(100), ada}));
  scene.play(joined({"PA_2", "ada", at(200), Uuid{}}));
  EXPECT_EQ(scene[ada].status, SessionStatus::pending);
  EXPECT_EQ(scene[bob].status, SessionStatus::pending);
  EXPECT_EQ(scene.sessions().size(), 4u);
}

TEST(CallRulesSession, NamedByTwoConnectionsIsTheFirstOnes) {
  Scene scene;
  const Uuid named = scene.token("ada", at(0));
  scene.play(joined({"PA_1", "ada", at(100), named}));
  scene.play(joined({"PA_2", "ada", at(200), named}));
  EXPECT_EQ(scene["PA_1"].session_id, named);
  EXPECT_NE(scene["PA_2"].session_id, named);
}

TEST(CallRulesSession, NamedAndEndedIsStillItsOwnIfTheConnectionBeganBefore) {
  Scene scene;
  const Uuid before = scene.token("ada", at(0));
  scene.leave("ada", at(1'000));
  const Uuid after = scene.token("bob", at(0));
  scene.leave("bob", at(1'000));
  scene.play(joined({"PA_1", "ada", at(999), before}));
  scene.play(joined({"PA_2", "bob", at(1'000), after}));
  EXPECT_EQ(scene["PA_1"].session_id, before);
  EXPECT_EQ(scene[before].joined_at, at(999));
  EXPECT_EQ(end_of(scene[before]), "left at 1000");
  EXPECT_NE(scene["PA_2"].session_id, after);
  EXPECT_EQ(scene["PA_2"].status, SessionStatus::active);
}

TEST(CallRulesSession, LeftBeforeItsConnectionWasKnownAsksForItsRemoval) {
  Scene scene;
  const Uuid session = scene.token("ada", at(0));
  scene.leave("ada", at(1'000));
  const auto changes = scene.play(joined({"PA_1", "ada", at(500), session}));
  ASSERT_TRUE(changes.remove);
  EXPECT_EQ(changes.remove->participant_sid, "PA_1");
  EXPECT_EQ(changes.remove->user_id, "ada");
  EXPECT_FALSE(scene.play(joined({"PA_1", "ada", at(500), session})).remove);
}

TEST(CallRulesSession, TimedOutBeforeItsConnectionWasKnownAsksForNoRemoval) {
  Scene scene;
  const Uuid session = scene.token("ada", at(0));
  scene.time_out(session, at(1'000));
  EXPECT_FALSE(scene.play(joined({"PA_1", "ada", at(500), session})).remove);
  EXPECT_EQ(end_of(scene[session]), "never_joined at 1000");
}

TEST(CallRulesJoined, MakesTheSessionActiveFromLiveKitsTimeOn) {
  Scene scene;
  auto fact = joined(ada_on("PA_1", 123));
  fact.arrived_at = at(900);
  scene.play(fact);
  EXPECT_EQ(scene["PA_1"].status, SessionStatus::active);
  EXPECT_EQ(scene["PA_1"].joined_at, at(123));
  EXPECT_EQ(scene["PA_1"].room_sid, "RM_1");
  EXPECT_EQ(scene.call().participant_count, 1);
}

TEST(CallRulesJoined, WithoutATimeBeganWhenItWasSent) {
  Scene scene;
  auto fact = joined(ada_on("PA_1", 2'700));
  fact.joined_at.reset();
  scene.play(fact);
  EXPECT_EQ(scene["PA_1"].joined_at, at(2'000));
}

TEST(CallRulesJoined, ToldAgainChangesNothing) {
  Scene scene;
  scene.play(joined(ada_on("PA_1", 100)));
  EXPECT_TRUE(scene.play(joined(ada_on("PA_1", 700))).sessions.empty());
  EXPECT_EQ(scene["PA_1"].joined_at, at(100));
}

TEST(CallRulesJoined, AfterItsEndFillsInOnlyAMissingBeginning) {
  Scene scene;
  scene.play(aborted(ada_on("PA_1", 100), at(900)));
  EXPECT_EQ(scene["PA_1"].joined_at, std::nullopt);
  scene.play(joined(ada_on("PA_1", 100)));
  scene.play(joined(ada_on("PA_1", 300)));
  EXPECT_EQ(scene["PA_1"].joined_at, at(100));
  EXPECT_EQ(end_of(scene["PA_1"]), "connection_aborted at 900");
}

TEST(CallRulesJoined, OfThreeDevicesEachIsReplacedWhenTheNextBegan) {
  std::vector<Connection> devices{ada_on("PA_1", 100), ada_on("PA_2", 500), ada_on("PA_3", 900)};
  do {
    Scene scene;
    for (const auto& device : devices) scene.play(joined(device));
    EXPECT_EQ(end_of(scene["PA_1"]), "replaced at 500");
    EXPECT_EQ(end_of(scene["PA_2"]), "replaced at 900");
    EXPECT_EQ(end_of(scene["PA_3"]), "active");
  } while (std::ranges::next_permutation(devices, {}, &Connection::sid).found);
}

TEST(CallRulesJoined, OfTwoAtTheSameMomentKeepsTheSameInEitherOrder) {
  for (const bool turned : {false, true}) {
    Scene scene;
    scene.play(joined(ada_on(turned ? "PA_2" : "PA_1", 100)));
    scene.play(joined(ada_on(turned ? "PA_1" : "PA_2", 100)));
    EXPECT_EQ(end_of(scene["PA_1"]), "replaced at 100");
    EXPECT_EQ(end_of(scene["PA_2"]), "active");
  }
}

TEST(CallRulesJoined, ConnectsNobodyButItsUser) {
  Scene scene;
  scene.play(joined(ada_on("PA_1", 100)));
  scene.play(joined({"PA_2", "bob", at(200)}));
  EXPECT_EQ(end_of(scene["PA_1"]), "active");
  EXPECT_EQ(scene.call().participant_count, 2);
}

TEST(CallRulesLeft, EndsForTheReasonThatLiveKitGives) {
  const std::pair<const char*, const char*> reasons[] = {
      {"CLIENT_INITIATED", "left"},       {"CONNECTION_TIMEOUT", "left"},     {"UNKNOWN_REASON", "left"},
      {"PARTICIPANT_REMOVED", "removed"}, {"DUPLICATE_IDENTITY", "replaced"}, {"ROOM_DELETED", "call_ended"},
      {"ROOM_CLOSED", "call_ended"},      {"SERVER_SHUTDOWN", "left"}};
  for (const auto& [reason, expected] : reasons) {
    Scene scene;
    scene.play(joined(ada_on("PA_1", 100)));
    scene.play(left(ada_on("PA_1", 100), at(900), reason));
    EXPECT_EQ(end_of(scene["PA_1"]), std::string(expected) + " at 900");
    std::string lower = reason;
    std::ranges::transform(lower, lower.begin(), [](char c) { return c == '_' ? c : static_cast<char>(c + 32); });
    EXPECT_EQ(scene["PA_1"].disconnect_reason, lower);
    EXPECT_EQ(scene.call().participant_count, 0);
  }
}

TEST(CallRulesLeft, AbortedIsAlwaysConnectionAborted) {
  for (const char* reason : {"SIGNAL_CLOSE", "JOIN_FAILURE", "DUPLICATE_IDENTITY", "ROOM_DELETED"}) {
    Scene scene;
    const Uuid pending = scene.token("ada", at(0));
    scene.play(aborted(ada_on("PA_1", 100), at(900), reason));
    EXPECT_EQ(end_of(scene[pending]), "connection_aborted at 900");
    EXPECT_EQ(scene[pending].joined_at, std::nullopt);
  }
}

TEST(CallRulesLeft, AbortedOneReplacesNobody) {
  Scene scene;
  scene.play(joined(ada_on("PA_1", 100)));
  scene.play(aborted(ada_on("PA_2", 500), at(900)));
  EXPECT_EQ(end_of(scene["PA_1"]), "active");
}

TEST(CallRulesLeft, BeforeItsJoinMakesAnEndedSessionThatStaysSo) {
  Scene scene;
  scene.play(left(ada_on("PA_1", 100), at(900)));
  scene.play(joined(ada_on("PA_1", 100)));
  EXPECT_EQ(end_of(scene["PA_1"]), "left at 900");
  EXPECT_EQ(scene["PA_1"].joined_at, at(100));
  EXPECT_EQ(scene.sessions().size(), 1u);
}

TEST(CallRulesLeft, OfANewerConnectionReplacesTheOlderOneToo) {
  Scene scene;
  scene.play(joined(ada_on("PA_1", 100)));
  scene.play(left(ada_on("PA_2", 500), at(900)));
  EXPECT_EQ(end_of(scene["PA_1"]), "replaced at 500");
}

TEST(CallRulesLeft, OfAnOldConnectionLeavesTheNewOneAlone) {
  Scene scene;
  scene.play(joined(ada_on("PA_1", 100)));
  scene.play(joined(ada_on("PA_2", 500)));
  scene.play(left(ada_on("PA_1", 100), at(950)));
  EXPECT_EQ(end_of(scene["PA_1"]), "left at 950");
  EXPECT_EQ(end_of(scene["PA_2"]), "active");
}

TEST(CallRulesLeft, IsBetterThanAReplacementOrAReconciliation) {
  Scene scene;
  scene.play(joined(ada_on("PA_1", 100)));
  scene.play(joined(ada_on("PA_2", 500)));
  scene.play(left(ada_on("PA_1", 100), at(450), "CONNECTION_TIMEOUT"));
  EXPECT_EQ(end_of(scene["PA_1"]), "left at 450");
  scene.reconcile("PA_2", at(5'000));
  scene.play(left(ada_on("PA_2", 500), at(2'600), "PARTICIPANT_REMOVED"));
  EXPECT_EQ(end_of(scene["PA_2"]), "removed at 2600");
}

TEST(CallRulesLeft, IsNoBetterThanTheApisOrATimersWord) {
  Scene scene;
  scene.play(joined(ada_on("PA_1", 100)));
  scene.leave("ada", at(500));
  scene.play(left(ada_on("PA_1", 100), at(900), "PARTICIPANT_REMOVED"));
  EXPECT_EQ(end_of(scene["PA_1"]), "left at 500");
  EXPECT_EQ(scene["PA_1"].disconnect_reason, "participant_removed");

  const Uuid timed_out = scene.token("bob", at(0));
  scene.time_out(timed_out, at(3'000));
  scene.play(left({"PA_2", "bob", at(100), timed_out}, at(2'000), "CONNECTION_TIMEOUT"));
  EXPECT_EQ(end_of(scene[timed_out]), "never_joined at 3000");
  EXPECT_EQ(scene[timed_out].disconnect_reason, "connection_timeout");
  EXPECT_EQ(scene[timed_out].joined_at, at(100));
}

TEST(CallRulesLeft, ToldTwiceKeepsTheFirst) {
  Scene scene;
  scene.play(left(ada_on("PA_1", 100), at(900)));
  scene.play(left(ada_on("PA_1", 100), at(1'900), "ROOM_DELETED"));
  EXPECT_EQ(end_of(scene["PA_1"]), "left at 900");
  EXPECT_EQ(scene["PA_1"].disconnect_reason, "client_initiated");
}

}  // namespace
}  // namespace call_service::rules_test
