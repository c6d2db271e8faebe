#include "middlewares/overload.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace call_service::middlewares {
namespace {

TEST(BodyMemory, ReadsAndWritesHaveOneHalfAndTheRestIsForEndsAndWebhooks) {
  BodyMemory memory(100);
  std::vector<BodyMemory::Taken> taken;
  taken.push_back(*memory.take(Work::write, 30));
  taken.push_back(*memory.take(Work::read, 20));
  EXPECT_FALSE(memory.take(Work::read, 1));
  EXPECT_FALSE(memory.take(Work::write, 1));
  taken.push_back(*memory.take(Work::end, 10));
  taken.push_back(*memory.take(Work::webhook, 40));
  EXPECT_FALSE(memory.take(Work::end, 1));
  EXPECT_FALSE(memory.take(Work::webhook, 1));
}

TEST(BodyMemory, IsGivenBackOnce) {
  BodyMemory memory(100);
  {
    auto taken = memory.take(Work::write, 50);
    const BodyMemory::Taken moved(std::move(*taken));
    EXPECT_FALSE(memory.take(Work::write, 1));
  }
  EXPECT_TRUE(memory.take(Work::write, 50));
  EXPECT_TRUE(memory.take(Work::webhook, 100));
  EXPECT_FALSE(memory.take(Work::webhook, 101));
}

TEST(BodyMemory, NothingNeedsNoRoom) {
  BodyMemory memory(0);
  EXPECT_TRUE(memory.take(Work::read, 0));
  EXPECT_FALSE(memory.take(Work::webhook, 1));
}

}  // namespace
}  // namespace call_service::middlewares
