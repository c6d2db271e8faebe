#include "base/uuid.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <unordered_set>
#include <vector>

namespace call_service {
namespace {

constexpr Timestamp some_time{Milliseconds{1'795'361'961'123}};

TEST(Uuid, IsReadInAnyCaseAndWrittenInLowerCase) {
  const auto id = Uuid::parse("0190A3B4-c5d6-7E8f-9012-ABCDEF345678");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->to_string(), "0190a3b4-c5d6-7e8f-9012-abcdef345678");
}

TEST(Uuid, RefusesEveryOtherForm) {
  for (const char* text : {"", "0190a3b4c5d67e8f9012abcdef345678", "{0190a3b4-c5d6-7e8f-9012-abcdef345678}",
                           "0190a3b4-c5d6-7e8f-9012-abcdef34567", "0190a3b4-c5d6-7e8f-9012-abcdef3456789",
                           "0190a3b4-c5d6-7e8f-9012-abcdef34567g", "0190a3b4-c5d6-7e8f-90120abcdef345678",
                           "0190a3b-4c5d6-7e8f-9012-abcdef345678", " 190a3b4-c5d6-7e8f-9012-abcdef345678"}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
}

TEST(Uuid, Version7CarriesTimeVersionAndVariant) {
  for (int i = 0; i < 1000; ++i) {
    const Uuid id = make_uuid_v7(some_time);
    std::int64_t milliseconds = 0;
    for (std::size_t byte = 0; byte < 6; ++byte) milliseconds = milliseconds << 8 | id.bytes[byte];
    EXPECT_EQ(milliseconds, some_time.time_since_epoch().count());
    EXPECT_EQ(id.bytes[6] >> 4, 7);
    EXPECT_EQ(id.bytes[8] >> 6, 2);
    EXPECT_EQ(Uuid::parse(id.to_string()), id);
  }
}

TEST(Uuid, OrderIsTheOrderOfTime) {
  const Uuid earlier = make_uuid_v7(some_time);
  const Uuid later = make_uuid_v7(some_time + Milliseconds{1});
  EXPECT_LT(earlier, later);
  EXPECT_LT(earlier.to_string(), later.to_string());
}

TEST(Uuid, NoTwoAreEqualEvenAcrossThreads) {
  constexpr std::size_t count = 5000;
  std::vector<std::vector<Uuid>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : made) {
      threads.emplace_back([&ids] {
        for (std::size_t i = 0; i < count; ++i) ids.push_back(make_uuid_v7(some_time));
      });
    }
  }
  std::unordered_set<Uuid> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), made.size() * count);
}

}  // namespace
}  // namespace call_service
