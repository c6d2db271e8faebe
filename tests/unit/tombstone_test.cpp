#include "services/tombstone.hpp"

#include <gtest/gtest.h>

namespace call_service::services {
namespace {

using repositories::RoomDeletions;

constexpr Timestamp now{Seconds(1'000'000)};

TEST(Tombstone, IsAtOnceTheFirstTime) {
  EXPECT_EQ(next_deletion({}, false, now), now);
  EXPECT_EQ(next_deletion({.done = 1, .last_done = now}, false, now), now);
}

TEST(Tombstone, IsOnceASecondForWhoeverComesBackAgain) {
  EXPECT_EQ(next_deletion({.done = 2, .last_done = now - Milliseconds(300)}, false, now), now + Milliseconds(700));
  EXPECT_EQ(next_deletion({.done = 2, .last_done = now - Seconds(3)}, false, now), now);
}

TEST(Tombstone, IsRarerAfterTenTimesInAMinute) {
  EXPECT_EQ(next_deletion({.done = 10, .last_done = now}, false, now), now + Seconds(1));
  EXPECT_EQ(next_deletion({.done = 11, .last_done = now}, false, now), now + Seconds(5));
}

TEST(Tombstone, DoesNotWaitForAClockThatWasAhead) {
  EXPECT_EQ(next_deletion({.done = 1, .last_done = now + Seconds(30)}, false, now), now);
  EXPECT_EQ(next_deletion({.done = 2, .last_done = now + Seconds(30)}, false, now), now + Seconds(1));
}

TEST(Tombstone, IsNotAskedForTwiceForOneRoom) {
  EXPECT_EQ(next_deletion({.done = 1, .last_done = now, .cover_known_room = true}, true, now), std::nullopt);
  EXPECT_EQ(next_deletion({.done = 1, .last_done = now, .cover_known_room = true}, false, now), now);
  EXPECT_EQ(next_deletion({.done = 1, .last_done = now, .cover_known_room = false}, true, now), now);
}

}  // namespace
}  // namespace call_service::services
