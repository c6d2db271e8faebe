#include "base/time.hpp"

#include <gtest/gtest.h>

#include <random>

namespace call_service {
namespace {

using namespace std::chrono_literals;

TEST(Time, IsWrittenWithMillisecondsAndZ) {
  EXPECT_EQ(format_timestamp(Timestamp{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_timestamp(Timestamp{1'795'361'961'123ms}), "2026-11-22T15:39:21.123Z");
  EXPECT_EQ(format_timestamp(Timestamp{-1ms}), "1969-12-31T23:59:59.999Z");
}

TEST(Time, OutsideTheYears0To9999TheNearestMomentIsWritten) {
  EXPECT_EQ(format_timestamp(Timestamp::min()), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(format_timestamp(Timestamp::max()), "9999-12-31T23:59:59.999Z");
}

TEST(Time, ReadsRfc3339WithAnyOffsetAndFraction) {
  const Timestamp noon{1'795'348'800'000ms};
  for (const char* text :
       {"2026-11-22T12:00:00Z", "2026-11-22t12:00:00z", "2026-11-22T12:00:00.0Z", "2026-11-22T14:00:00+02:00",
        "2026-11-22T06:30:00.000000000-05:30", "2026-11-23T11:59:00+23:59", "2026-11-22T12:00:00-00:00"}) {
    EXPECT_EQ(parse_timestamp(text), noon) << text;
  }
  EXPECT_EQ(parse_timestamp("2026-11-22T12:00:00.5Z"), noon + 500ms);
  EXPECT_EQ(parse_timestamp("2026-11-22T12:00:00.123999999Z"), noon + 123ms);
  EXPECT_EQ(parse_timestamp("2024-02-29T00:00:00Z"), Timestamp{1'709'164'800'000ms});
}

TEST(Time, RefusesWhatIsNotRfc3339) {
  for (const char* text : {"",
                           "2026-11-22",
                           "2026-11-22T12:00:00",
                           "2026-11-22 12:00:00Z",
                           "2026-11-22T12:00Z",
                           "2026-11-22T24:00:00Z",
                           "2026-11-22T12:60:00Z",
                           "2026-11-22T12:00:60Z",
                           "2026-13-01T00:00:00Z",
                           "2026-02-29T00:00:00Z",
                           "2026-11-22T12:00:00.Z",
                           "2026-11-22T12:00:00.1234567890Z",
                           "2026-11-22T12:00:00+0200",
                           "2026-11-22T12:00:00+24:00",
                           "2026-11-22T12:00:00+02:60",
                           "2026-11-22T12:00:00Z ",
                           " 2026-11-22T12:00:00Z",
                           "+026-11-22T12:00:00Z",
                           "2026-11-22T12:00:00ZZ",
                           "0000-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01"}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
}

TEST(Time, WhatIsWrittenIsReadBackAndTextOrderIsTimeOrder) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> any(-62'167'219'200'000, 253'402'300'799'999);
  Timestamp previous{};
  for (int i = 0; i < 20'000; ++i) {
    const Timestamp at{Milliseconds{any(random)}};
    EXPECT_EQ(parse_timestamp(format_timestamp(at)), at);
    EXPECT_EQ(format_timestamp(previous) < format_timestamp(at), previous < at);
    previous = at;
  }
}

TEST(Time, EveryPrefixOfATimeIsReadWithoutAccident) {
  const std::string whole = "2026-11-22T15:39:21.123+01:00";
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse_timestamp(whole.substr(0, size)));
}

}  // namespace
}  // namespace call_service
