#include <gtest/gtest.h>

#include "database/repositories/claim.hpp"
#include "services/outbox_worker.hpp"

namespace call_service::services {
namespace {

TEST(OutboxBackoff, DoublesFromHalfASecondToThirty) {
  const int expected[] = {500, 1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000, 30'000};
  int attempts = 0;
  for (const int milliseconds : expected) EXPECT_EQ(backoff(attempts++, 0), Milliseconds(milliseconds));
  EXPECT_EQ(backoff(1'000'000, 0), Seconds(30));
}

TEST(OutboxBackoff, TakesUpToAQuarterOff) {
  EXPECT_EQ(backoff(0, 1), Milliseconds(375));
  EXPECT_EQ(backoff(0, 0.5), Milliseconds(437));
  EXPECT_EQ(backoff(20, 1), Milliseconds(22'500));
}

// A claim takes what is further ahead for the work of a wrong clock.
TEST(OutboxBackoff, IsNeverLongerThanClaimsExpect) {
  for (int before = 0; before < repositories::early_attempts; ++before) {
    EXPECT_LE(backoff(before, 0), repositories::longest_early_pause);
  }
  EXPECT_LE(backoff(1'000'000, 0), repositories::longest_pause);
}

}  // namespace
}  // namespace call_service::services
