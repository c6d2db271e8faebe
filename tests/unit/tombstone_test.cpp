#include "services/tombstone.hpp"

#include <gtest/gtest.h>

namespace call_service::services {
namespace {

using repositories::RoomDeletions;

constexpr Timestamp now{Seconds(1'000'000)};

TEST(Tombstone, IsAtOnceTheFirstTime) {
  EXPECT_EQ(next_deletion({}, {}, now), now);
  EXPECT_EQ(next_deletion({.done = 1, .last_done = now}, {}, now), now);
}

TEST(Tombstone, IsOnceASecondForWhoeverComesBackAgain) {
  EXPECT_EQ(next_deletion({.done = 2, .last_done = now - Milliseconds(300)}, {}, now), now + Milliseconds(700));
  EXPECT_EQ(next_deletion({.done = 2, .last_done = now - Seconds(3)}, {}, now), now);
}

TEST(Tombstone, IsRarerAfterTenTimesInAMinute) {
  EXPECT_EQ(next_deletion({.done = 10, .last_done = now}, {}, now), now + Seconds(1));
  EXPECT_EQ(next_deletion({.done = 11, .last_done = now}, {}, now), now + Seconds(5));
}

TEST(Tombstone, DoesNotWaitForAClockThatWasAhead) {
  EXPECT_EQ(next_deletion({.done = 1, .last_done = now + Seconds(30)}, {}, now), now);
  EXPECT_EQ(next_deletion({.done = 2, .last_done = now + Seconds(30)}, {}, now), now + Seconds(1));
}

TEST(Tombstone, IsNotAskedForTwiceForOneRoom) {
  const RoomDeletions covering{.done = 1, .last_done = now, .cover_known_room = true};
  const SignOfLife before{.is_known_room = true, .latest = now - Milliseconds(1)};
  EXPECT_EQ(next_deletion(covering, before, now), std::nullopt);
  EXPECT_EQ(next_deletion(covering, {.is_known_room = true, .is_pending = true, .latest = now}, now), std::nullopt);
  EXPECT_EQ(next_deletion(covering, {.is_known_room = false, .latest = before.latest}, now), now);
  EXPECT_EQ(next_deletion({.done = 1, .last_done = now, .cover_known_room = false}, before, now), now);
}

TEST(Tombstone, IsAskedForAgainWhenSomebodyIsThereAfterADeletion) {
  EXPECT_EQ(next_deletion({.done = 1, .last_done = now, .cover_known_room = true},
                          {.is_known_room = true, .latest = now}, now),
            now);
}

}  // namespace
}  // namespace call_service::services
