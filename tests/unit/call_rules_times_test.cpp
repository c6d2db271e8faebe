// Times: clocks differ and events are late, and still everything begins before it ends. Scene checks the order of times
// after every fact.

#include <random>

#include "call_rules_support.hpp"

namespace call_service::rules_test {
namespace {

const Connection ada{"PA_1", "ada", at(100)};

TEST(CallRulesMoment, IsTheArrivalWithinTwoSecondsElseCreatedAt) {
  RoomFact fact;
  fact.occurred_at = at(5'000);
  const std::pair<int, int> arrivals[] = {{5'000, 5'000}, {5'700, 5'700},  {6'999, 6'999},
                                          {7'000, 5'000}, {90'000, 5'000}, {4'000, 4'000}};
  for (const auto& [arrived, expected] : arrivals) {
    fact.arrived_at = at(arrived);
    EXPECT_EQ(fact.moment(), at(expected)) << arrived;
  }
}

TEST(CallRulesTimes, ALateDepartureCountsFromWhenItWasSent) {
  Scene scene;
  scene.play(joined(ada));
  scene.play(late(left(ada, at(3'700))));
  EXPECT_EQ(end_of(scene["PA_1"]), "left at 3000");
}

TEST(CallRulesTimes, ALateDepartureOfTheSameSecondIsNotBeforeTheBeginning) {
  Scene scene;
  const Connection brief{"PA_1", "ada", at(3'400)};
  scene.play(late(left(brief, at(3'700))));
  EXPECT_EQ(scene["PA_1"].joined_at, at(3'400));
  EXPECT_EQ(end_of(scene["PA_1"]), "left at 3400");
}

TEST(CallRulesTimes, ALateAbortIsNotBeforeItsConnection) {
  Scene scene;
  scene.play(late(aborted({"PA_1", "ada", at(3'400)}, at(3'700))));
  EXPECT_EQ(end_of(scene["PA_1"]), "connection_aborted at 3400");
}

TEST(CallRulesTimes, LiveKitAheadBeginsWhenTheEventArrives) {
  Scene scene;
  auto fact = joined({"PA_1", "ada", at(3'600'000)});
  fact.arrived_at = at(500);
  scene.play(fact);
  EXPECT_EQ(scene["PA_1"].joined_at, at(500));
  auto departure = left({"PA_1", "ada", at(3'600'000)}, at(3'604'000));
  departure.arrived_at = at(4'500);
  scene.play(departure);
  EXPECT_EQ(end_of(scene["PA_1"]), "left at 4500");
}

TEST(CallRulesTimes, LiveKitAheadIsHeardAfterTheEndOfTheCall) {
  Scene scene;
  const Connection ahead{"PA_1", "ada", at(10'100)};
  auto fact = joined(ahead);
  fact.arrived_at = at(100);
  scene.play(fact);
  scene.end(at(2'000));
  auto departure = left(ahead, at(12'100), "ROOM_DELETED");
  departure.arrived_at = at(2'100);
  scene.play(departure);
  EXPECT_EQ(end_of(scene["PA_1"]), "call_ended at 2000");
  EXPECT_EQ(scene["PA_1"].disconnect_reason, "room_deleted");
}

TEST(CallRulesTimes, LiveKitBehindEndsNothingBeforeItBegan) {
  Scene scene;
  const Uuid pending = scene.token("ada", at(0));
  const Connection behind{"PA_1", "ada", at(-3'600'000), pending};
  auto begin = joined(behind);
  begin.arrived_at = at(500);
  scene.play(begin);
  auto departure = left(behind, at(-3'595'000));
  departure.arrived_at = at(5'000);
  scene.play(departure);
  EXPECT_EQ(scene["PA_1"].joined_at, at(-3'600'000));
  EXPECT_EQ(scene["PA_1"].left_at, scene["PA_1"].created_at);
  auto end = finished({}, at(-3'594'000));
  end.arrived_at = at(6'000);
  scene.play(end);
  EXPECT_EQ(end_of(scene.call()), "room_finished at 0");
}

TEST(CallRulesTimes, ACallEndsAfterAllThatHappenedInIt) {
  Scene scene;
  scene.play(joined({"PA_1", "ada", at(8'000)}));
  scene.token("bob", at(9'000));
  auto end = finished({}, at(3'000));
  end.arrived_at = at(9'500);
  scene.play(end);
  EXPECT_EQ(end_of(scene.call()), "room_finished at 9000");
}

TEST(CallRulesTimes, ACallEndsAfterItsRoomWasMadeAnew) {
  Scene scene;
  scene.play(joined({"PA_1", "ada", at(100)}));
  scene.play(late(finished({"RM_2", at(5'900)}, at(5'950))));
  EXPECT_EQ(end_of(scene["PA_1"]), "reconciled at 5900");
  EXPECT_EQ(end_of(scene.call()), "room_finished at 5900");
}

TEST(CallRulesTimes, AConnectionAtTheVeryEndIsBentIntoTheCall) {
  Scene scene;
  scene.end(at(2'000));
  scene.play(late(left({"PA_1", "bob", at(2'000)}, at(9'000))));
  EXPECT_EQ(scene["PA_1"].joined_at, at(2'000));
  EXPECT_EQ(scene["PA_1"].created_at, at(2'000));
  EXPECT_EQ(end_of(scene["PA_1"]), "call_ended at 2000");
}

// A second session whose token was handed out after the connection that takes it began.
TEST(CallRulesTimes, ADepartureIsBentBehindTheSessionItEnds) {
  Scene scene;
  const Uuid pending = scene.token("bob", at(4'000));
  scene.play(late(left({"PA_1", "bob", at(1'000)}, at(2'000))));
  EXPECT_EQ(end_of(scene[pending]), "left at 4000");
}

// Whatever is told, with clocks that differ by up to hours, no rule is broken: Scene checks them all.
TEST(CallRulesTimes, NoHistoryBreaksARule) {
  for (unsigned seed = 1; seed <= 3'000 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
    const int spread = below(2) == 0 ? 10'000 : 10'000'000;
    const auto skewed = [&] { return at(below(2 * spread) - spread); };
    Scene scene;
    const std::string users[] = {"ada", "bob"};
    for (int now = 0; now < 12'000 && !HasFailure(); now += 500) {
      const std::string& user = users[below(2)];
      const Room room{"RM_" + std::to_string(below(3)), skewed()};
      Connection connection{"PA_" + user + std::to_string(below(4)), user, skewed(), {}, room};
      if (below(2) == 0)
        connection.session_id =
            scene.sessions()[static_cast<std::size_t>(below(static_cast<int>(scene.sessions().size())))].session_id;
      const auto arrive = [&](auto fact) {
        fact.arrived_at = at(now);
        if (below(10) == 0) fact.room_created_at.reset();
        return fact;
      };
      switch (below(12)) {
        case 0:
          scene.play(arrive(room_fact(EventType::room_started, room, skewed())));
          break;
        case 1:
          if (below(4) == 0) scene.play(arrive(finished(room, skewed())));
          break;
        case 2:
          if (scene.call().is_active()) scene.token(user, at(now));
          break;
        case 3:
          scene.leave(user, at(now));
          break;
        case 4:
          scene.play(arrive(aborted(connection, skewed())));
          break;
        case 5:
        case 6:
        case 7:
        case 8:
          scene.play(arrive(left(connection, skewed())));
          break;
        default:
          scene.play(arrive(joined(connection)));
      }
    }
    if (scene.call().closes_at) scene.close();
  }
}

}  // namespace
}  // namespace call_service::rules_test
