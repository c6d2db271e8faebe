// Rooms: their generations, their end, and what is told of them when the call has ended.

#include "call_rules_support.hpp"

namespace call_service::rules_test {
namespace {

const Room first{"RM_1", at(0)};
const Room second{"RM_2", at(5'000)};

TEST(CallRulesRoom, IsRecordedByTheFirstEventThatCarriesIt) {
  Scene by_room;
  by_room.play(started(first));
  Scene by_participant;
  by_participant.play(joined({"PA_1", "ada", at(100)}));
  for (const Scene* scene : {&by_room, &by_participant}) {
    EXPECT_EQ(scene->call().room_sid, "RM_1");
    EXPECT_EQ(scene->call().room_created_at, at(0));
    EXPECT_TRUE(scene->call().is_active());
  }
}

TEST(CallRulesRoom, StartedAgainUnderTheSameSidEndsNobody) {
  Scene scene;
  scene.play(joined({"PA_1", "ada", at(100)}));
  scene.play(room_fact(EventType::room_started, first, at(3'000)));
  EXPECT_EQ(end_of(scene["PA_1"]), "active");
}

TEST(CallRulesRoom, MadeAnewEndsTheConnectionsToItsFormerGeneration) {
  Scene scene;
  scene.token("bob", at(0));
  scene.play(joined({"PA_1", "ada", at(100), {}, first}));
  scene.play(started(second));
  EXPECT_EQ(end_of(scene["PA_1"]), "reconciled at 5000");
  EXPECT_EQ(scene.call().room_sid, "RM_2");
  EXPECT_EQ(std::ranges::count(scene.sessions(), SessionStatus::pending, &Session::status), 1);
}

TEST(CallRulesRoom, MadeAnewByAnybodysEventEndsThemToo) {
  Scene scene;
  scene.play(joined({"PA_1", "ada", at(100), {}, first}));
  scene.play(joined({"PA_2", "bob", at(5'100), {}, second}));
  EXPECT_EQ(end_of(scene["PA_1"]), "reconciled at 5000");
  EXPECT_EQ(end_of(scene["PA_2"]), "active");
}

TEST(CallRulesRoom, MadeAnewIsBetteredByADepartureOrTheUsersNextConnection) {
  Scene scene;
  scene.play(joined({"PA_1", "ada", at(100), {}, first}));
  scene.play(joined({"PA_2", "bob", at(200), {}, first}));
  scene.play(started(second));
  scene.play(left({"PA_1", "ada", at(100), {}, first}, at(4'200), "CONNECTION_TIMEOUT"));
  EXPECT_EQ(end_of(scene["PA_1"]), "left at 4200");
  scene.play(late(joined({"PA_3", "bob", at(3'000), {}, first})));
  EXPECT_EQ(end_of(scene["PA_2"]), "replaced at 3000");
  EXPECT_EQ(end_of(scene["PA_3"]), "reconciled at 5000");
}

TEST(CallRulesRoom, OfAnOlderGenerationOnlyFillsIn) {
  Scene scene;
  scene.play(joined({"PA_2", "ada", at(5'100), {}, second}));
  scene.play(late(started(first)));
  scene.play(late(joined({"PA_1", "bob", at(100), {}, first})));
  scene.play(late(finished(first, at(4'000))));
  EXPECT_EQ(scene.call().room_sid, "RM_2");
  EXPECT_EQ(end_of(scene["PA_1"]), "reconciled at 5000");
  EXPECT_EQ(scene["PA_1"].joined_at, at(100));
  EXPECT_EQ(end_of(scene["PA_2"]), "active");
  EXPECT_EQ(end_of(scene.call()), "active");
}

TEST(CallRulesRoom, OfTheSameMillisecondIsToldApartBySid) {
  const Room twin{"RM_2", at(0)};
  for (const bool turned : {false, true}) {
    Scene scene;
    scene.play(started(turned ? twin : first));
    scene.play(started(turned ? first : twin));
    EXPECT_EQ(scene.call().room_sid, "RM_2");
  }
}

TEST(CallRulesRoom, MadeAnewTwiceEndsAConnectionWhenTheFirstFollowedInWhateverOrder) {
  const Room third{"RM_0", at(9'000)};
  for (const bool turned : {false, true}) {
    Scene scene;
    scene.play(joined({"PA_1", "ada", at(100), {}, first}));
    scene.play(started(turned ? third : second));
    scene.play(joined({"PA_2", "bob", at(5'100), {}, second}));
    scene.play(started(turned ? second : third));
    scene.play(joined({"PA_3", "carol", at(200), {}, first}));
    EXPECT_EQ(end_of(scene["PA_1"]), "reconciled at 5000");
    EXPECT_EQ(end_of(scene["PA_2"]), "reconciled at 9000");
    EXPECT_EQ(end_of(scene["PA_3"]), "reconciled at 5000");
    EXPECT_EQ(scene.call().room_sid, "RM_0");
  }
}

TEST(CallRulesRoom, IsNotedOnceAndNeverAfterTheEnd) {
  Scene scene;
  scene.play(started(first));
  scene.play(started(second));
  scene.play(late(started(first)));
  EXPECT_EQ(scene.call().former_rooms->size(), 1u);
  scene.end(at(6'000));
  for (const char* sid : {"RM_3", "RM_4", "RM_5"}) scene.play(started({sid, at(7'000)}));
  EXPECT_EQ(scene.call().former_rooms->size(), 2u);
}

TEST(CallRulesFinished, EndsTheCallAndAllItsSessions) {
  Scene scene;
  const Uuid pending = scene.token("bob", at(0));
  scene.play(joined({"PA_1", "ada", at(100)}));
  const auto changes = scene.play(finished(first, at(2'500)));
  EXPECT_EQ(end_of(scene.call()), "room_finished at 2500");
  EXPECT_EQ(scene.call().ended_by, std::nullopt);
  EXPECT_EQ(end_of(scene["PA_1"]), "call_ended at 2500");
  EXPECT_EQ(end_of(scene[pending]), "call_ended at 2500");
  EXPECT_EQ(scene.call().participant_count, 0);
  EXPECT_FALSE(changes.delete_room);
  EXPECT_EQ(scene.call().room_deletion, std::nullopt);
}

TEST(CallRulesFinished, EndsTheCallWithoutARecordedRoomAndOfANewerOne) {
  Scene unknown;
  unknown.play(finished(first, at(2'000)));
  EXPECT_EQ(end_of(unknown.call()), "room_finished at 2000");

  Scene newer;
  newer.play(joined({"PA_1", "ada", at(100), {}, first}));
  newer.play(finished(second, at(7'000)));
  EXPECT_EQ(end_of(newer.call()), "room_finished at 7000");
  EXPECT_EQ(end_of(newer["PA_1"]), "reconciled at 5000");
}

TEST(CallRulesFinished, WithoutAnyParticipantEndsTheCallThoughATokenIsOut) {
  Scene scene;
  scene.play(started(first));
  scene.token("bob", at(1'500));
  scene.play(finished(first, at(2'000)));
  EXPECT_EQ(end_of(scene.call()), "room_finished at 2000");
}

class CallRulesOnTheWay : public testing::Test {
 protected:
  CallRulesOnTheWay() {
    scene_.play(joined(ada_));
    scene_.play(left(ada_, at(1'000)));
  }

  const Connection ada_{"PA_1", "ada", at(100)};
  Scene scene_;
};

TEST_F(CallRulesOnTheWay, ATokenAfterTheLastDepartureKeepsTheCallForAMinute) {
  const Uuid bob = scene_.token("bob", at(1'500));
  scene_.play(finished(first, at(2'000)));
  EXPECT_EQ(end_of(scene_.call()), "active");
  EXPECT_EQ(scene_.call().closes_at, at(61'500));
  EXPECT_EQ(scene_[bob].status, SessionStatus::pending);

  scene_.close();
  EXPECT_EQ(end_of(scene_.call()), "room_finished at 61500");
  EXPECT_EQ(end_of(scene_[bob]), "call_ended at 61500");
  EXPECT_EQ(scene_.call().closes_at, std::nullopt);
}

TEST_F(CallRulesOnTheWay, AnAbortedConnectionIsADepartureToo) {
  Scene scene;
  scene.play(aborted(ada_, at(1'000)));
  scene.token("bob", at(1'500));
  scene.play(finished(first, at(2'000)));
  EXPECT_EQ(scene.call().closes_at, at(61'500));
}

TEST_F(CallRulesOnTheWay, ATokenUpToTheLastDepartureKeepsNothing) {
  scene_.token("bob", at(1'000));
  scene_.play(finished(first, at(2'000)));
  EXPECT_EQ(end_of(scene_.call()), "room_finished at 2000");
}

TEST_F(CallRulesOnTheWay, SomebodyStillThereKeepsNothing) {
  scene_.play(joined({"PA_2", "carol", at(500)}));
  scene_.token("bob", at(1'500));
  scene_.play(finished(first, at(2'000)));
  EXPECT_EQ(end_of(scene_.call()), "room_finished at 2000");
  EXPECT_EQ(end_of(scene_["PA_2"]), "call_ended at 2000");
}

TEST_F(CallRulesOnTheWay, ARoomThatAppearsStopsTheWaiting) {
  scene_.token("bob", at(1'500));
  scene_.play(finished(first, at(2'000)));
  scene_.play(started(second));
  EXPECT_EQ(scene_.call().closes_at, std::nullopt);
  scene_.play(late(finished(first, at(2'000))));
  EXPECT_EQ(end_of(scene_.call()), "active");
  EXPECT_EQ(scene_.call().closes_at, std::nullopt);
}

TEST_F(CallRulesOnTheWay, SomebodyElseWhoIsToldOfLateEndsTheWaitingAtTheFinish) {
  const Connection carol{"PA_2", "carol", at(1'600)};
  for (const auto& told : {joined(carol), left(carol, at(1'700)), aborted(carol, at(1'700))}) {
    Scene scene = scene_;
    scene.token("bob", at(1'500));
    scene.play(finished(first, at(2'000)));
    scene.play(told);
    EXPECT_EQ(end_of(scene.call()), "room_finished at 2000");
    EXPECT_EQ(scene.call().closes_at, std::nullopt);
  }
}

TEST_F(CallRulesOnTheWay, WhatIsToldLateLeavesTheWaitingAloneIfAllHadLeftBeforeTheToken) {
  scene_.token("bob", at(1'500));
  scene_.play(finished(first, at(2'000)));
  scene_.play(left({"PA_2", "carol", at(700)}, at(1'400)));
  EXPECT_EQ(scene_.call().closes_at, at(61'500));
}

TEST_F(CallRulesOnTheWay, ATokenSinceTheFinishKeepsTheCallWhateverIsToldLate) {
  scene_.token("bob", at(1'500));
  scene_.play(finished(first, at(2'000)));
  scene_.token("dave", at(3'000));
  scene_.play(late(joined({"PA_2", "carol", at(1'600)})));
  EXPECT_EQ(scene_.call().closes_at, at(63'000));
}

TEST_F(CallRulesOnTheWay, AConnectionSinceTheFinishKeepsTheCallWhateverIsToldLate) {
  const Uuid bob = scene_.token("bob", at(1'500));
  scene_.play(finished(first, at(2'000)));
  scene_.play(joined({"PA_2", "bob", at(2'100), bob}));
  EXPECT_EQ(end_of(scene_[bob]), "active");
  scene_.play(late(joined({"PA_3", "carol", at(1'600)})));
  EXPECT_EQ(end_of(scene_.call()), "active");
}

TEST_F(CallRulesOnTheWay, OnlyThoseOfTheFinishedGenerationCount) {
  scene_.play(joined({"PA_2", "bob", at(5'100), {}, second}));
  scene_.play(left({"PA_2", "bob", at(5'100), {}, second}, at(6'000)));
  scene_.token("bob", at(5'500));
  scene_.play(finished(second, at(7'000)));
  EXPECT_EQ(end_of(scene_.call()), "room_finished at 7000");
}

TEST(CallRulesEnded, IsDeletedAgainByARoomOrAParticipantThatComesBack) {
  for (const char* reason : {"ended", "room_finished", "reconciled"}) {
    Scene scene;
    scene.end(at(2'000), reason);
    EXPECT_TRUE(scene.play(started(second)).delete_room);
    EXPECT_EQ(scene.call().room_deletion, "pending");
    EXPECT_TRUE(scene.play(joined({"PA_1", "ada", at(5'100), {}, second})).delete_room);
    EXPECT_EQ(end_of(scene.call()), std::string(reason) + " at 2000");
  }
}

TEST(CallRulesEnded, IsLeftAloneByEverythingElse) {
  Scene scene;
  scene.end(at(2'000));
  EXPECT_FALSE(scene.play(finished(first, at(2'100))).delete_room);
  EXPECT_FALSE(scene.play(left({"PA_1", "ada", at(100)}, at(2'100))).delete_room);
  EXPECT_FALSE(scene.play(aborted({"PA_2", "ada", at(100)}, at(2'100))).delete_room);
  EXPECT_EQ(scene.call().room_deletion, std::nullopt);
  EXPECT_EQ(end_of(scene.call()), "ended at 2000");
}

TEST(CallRulesEnded, HasNoSessionForAConnectionThatBeganLater) {
  Scene scene;
  const Uuid pending = scene.token("ada", at(0));
  scene.end(at(2'000));
  scene.play(joined({"PA_1", "ada", at(2'001), pending}));
  scene.play(left({"PA_1", "ada", at(2'001), pending}, at(3'000)));
  scene.play(joined({"PA_2", "bob", at(2'001)}));
  EXPECT_EQ(scene.find("PA_1"), nullptr);
  EXPECT_EQ(scene.find("PA_2"), nullptr);
  EXPECT_EQ(scene.sessions().size(), 1u);
}

TEST(CallRulesEnded, LearnsLateWhoWasThere) {
  Scene scene;
  const Uuid pending = scene.token("ada", at(0));
  scene.end(at(2'000));
  scene.play(joined({"PA_1", "ada", at(100), pending}));
  scene.play(joined({"PA_2", "bob", at(200)}));
  scene.play(left({"PA_3", "carol", at(300)}, at(1'000)));
  EXPECT_EQ(scene[pending].joined_at, at(100));
  EXPECT_EQ(scene[pending].participant_sid, "PA_1");
  for (const char* sid : {"PA_1", "PA_2", "PA_3"}) EXPECT_EQ(end_of(scene[sid]), "call_ended at 2000") << sid;
  EXPECT_EQ(scene["PA_3"].disconnect_reason, "client_initiated");
  EXPECT_EQ(scene["PA_3"].joined_at, at(300));
}

TEST(CallRulesEnded, ByItsRoomTakesADeparturesWordButNoLaterOne) {
  Scene scene;
  scene.play(joined({"PA_1", "ada", at(100)}));
  scene.play(joined({"PA_2", "bob", at(100)}));
  scene.play(finished(first, at(2'000)));
  scene.play(left({"PA_1", "ada", at(100)}, at(1'500), "PARTICIPANT_REMOVED"));
  scene.play(left({"PA_2", "bob", at(100)}, at(2'600)));
  EXPECT_EQ(end_of(scene["PA_1"]), "removed at 1500");
  EXPECT_EQ(end_of(scene["PA_2"]), "left at 2000");
}

// What is told late of connections whose departure was lost is as good as what was told in time.
TEST(CallRulesEnded, ByItsRoomStillLearnsWhoReplacedWhom) {
  Scene scene;
  scene.play(joined({"PA_1", "ada", at(100)}));
  scene.play(finished(first, at(9'000)));
  scene.play(late(joined({"PA_2", "ada", at(500)})));
  EXPECT_EQ(end_of(scene["PA_1"]), "replaced at 500");
  EXPECT_EQ(end_of(scene["PA_2"]), "call_ended at 9000");
}

TEST(CallRulesEnded, ByItsRoomStillLearnsWhoWasInAFormerGeneration) {
  Scene scene;
  scene.play(finished(second, at(9'000)));
  scene.play(late(joined({"PA_1", "ada", at(100), {}, first})));
  EXPECT_EQ(end_of(scene["PA_1"]), "reconciled at 5000");
}

TEST(CallRulesEnded, ByTheApiOrATimerKeepsItsSessionsEnds) {
  const std::pair<const char*, EndEvidence> ends[] = {{"ended", EndEvidence::api},
                                                      {"max_duration", EndEvidence::timer}};
  for (const auto& [reason, evidence] : ends) {
    Scene scene;
    scene.play(joined({"PA_1", "ada", at(100)}));
    scene.end(at(2'000), reason, evidence);
    scene.play(left({"PA_1", "ada", at(100)}, at(1'500)));
    EXPECT_EQ(end_of(scene["PA_1"]), "call_ended at 2000");
    EXPECT_EQ(scene["PA_1"].disconnect_reason, "client_initiated");
  }
}

}  // namespace
}  // namespace call_service::rules_test
