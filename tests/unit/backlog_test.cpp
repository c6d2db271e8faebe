// Who may still join a lane's queue. The times are the test's own.

#include "database/backlog.hpp"

#include <gtest/gtest.h>

namespace call_service::db {
namespace {

using std::chrono::milliseconds;

class BacklogTest : public testing::Test {
 protected:
  void push(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (waiting_ == 0) oldest_ = now_;
      backlog_.pushed(oldest_, now_);
      ++waiting_;
    }
  }

  // The lane takes so many, and they are done at once.
  void serve(std::size_t count) {
    waiting_ -= count;
    backlog_.taken(count, waiting_, oldest_, now_);
    backlog_.done(count, now_);
  }

  // Nobody waits for so many any more.
  void drop(std::size_t count) {
    waiting_ -= count;
    backlog_.taken(count, waiting_, oldest_, now_);
  }

  // As many as find room, `most` at most.
  std::size_t fill(Share share, std::size_t most = 100'000) {
    std::size_t let_in = 0;
    while (let_in < most && backlog_.has_room(share, now_)) {
      push(1);
      ++let_in;
    }
    return let_in;
  }

  void pass(milliseconds time) { now_ += time; }

  // The database does 1,000 commands a second, fewer than have come.
  void be_slow(milliseconds time) {
    for (int i = 0; i < time / milliseconds(10); ++i) {
      pass(milliseconds(10));
      serve(10);
    }
  }

  Backlog backlog_;
  Backlog::Time now_ = Backlog::Time{} + std::chrono::hours(1);
  Backlog::Time oldest_;
  std::size_t waiting_ = 0;
};

TEST_F(BacklogTest, ABurstFindsRoomUpToTheCapAndTheLastToBeRefusedTwiceAsMuch) {
  EXPECT_EQ(fill(Share::half), 1'024u);
  EXPECT_EQ(fill(Share::whole), 1'024u);
  EXPECT_FALSE(backlog_.has_room(Share::whole, now_));
}

TEST_F(BacklogTest, WhatIsTakenMakesRoomAgain) {
  fill(Share::whole);
  serve(2'048 - 1'023);
  EXPECT_TRUE(backlog_.has_room(Share::half, now_));
  EXPECT_EQ(fill(Share::half), 1u);
}

TEST_F(BacklogTest, ADatabaseThatDoesNothingLetsOneBatchWaitAndOneOnTopOfABurstOfTheLastToBeRefused) {
  push(1);
  pass(milliseconds(501));
  EXPECT_EQ(fill(Share::half), 255u);
  EXPECT_EQ(fill(Share::whole), 1'024u);
  pass(milliseconds(60'000));
  EXPECT_FALSE(backlog_.has_room(Share::whole, now_));
}

TEST_F(BacklogTest, AQueueThatStaysIsHeldAtWhatIsDoneInHalfASecond) {
  push(2'500);
  be_slow(milliseconds(1'500));
  EXPECT_EQ(fill(Share::half), 0u) << "1,000 wait";
  EXPECT_EQ(fill(Share::whole), 280u);
  be_slow(milliseconds(1'000));
  EXPECT_NEAR(static_cast<double>(fill(Share::half)), 225, 20);
  EXPECT_NEAR(static_cast<double>(fill(Share::whole)), 775, 20);
}

TEST_F(BacklogTest, WhatWasDoneBeforeTheDatabaseStoppedIsForgotten) {
  push(2'500);
  be_slow(milliseconds(1'500));
  pass(milliseconds(2'000));
  EXPECT_FALSE(backlog_.has_room(Share::half, now_));
  drop(745);
  EXPECT_EQ(fill(Share::half), 1u);
}

TEST_F(BacklogTest, AQueueThatIsEmptiedInTimeIsNone) {
  push(1'500);
  be_slow(milliseconds(1'500));
  push(1);
  pass(milliseconds(100));
  serve(1);
  EXPECT_EQ(fill(Share::half), 1'024u);
}

TEST_F(BacklogTest, AQueueThatIsEmptiedTooLateStays) {
  push(1'500);
  be_slow(milliseconds(1'500));
  push(1);
  pass(milliseconds(400));
  serve(1);
  EXPECT_LT(fill(Share::half), 600u);
}

TEST_F(BacklogTest, TheLongestBatchIsNoOverloadWhileItIsShorterThanThePatience) {
  for (int i = 0; i < 20; ++i) {
    push(1'000);
    pass(milliseconds(499));
    serve(1'000);
  }
  EXPECT_EQ(fill(Share::half), 1'024u);
}

}  // namespace
}  // namespace call_service::db
