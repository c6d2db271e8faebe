// Reading the parameters of a query.

#include "wire/parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/message.hpp"
#include "schemas/queries.hpp"

namespace call_service::wire {
namespace {

using schemas::ListCallsQuery;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Read {
  ListCallsQuery query;
  std::vector<std::string> faults{};  // "name code"
};

Read read(std::string_view text) {
  const auto parameters = http::parse_query(text);
  if (!parameters) return {.query = {}, .faults = {"malformed"}};
  std::vector<Fault> faults;
  Read read{.query = read_parameters<ListCallsQuery>(*parameters, faults)};
  for (const auto& fault : faults) {
    EXPECT_TRUE(fault.pointer.empty());
    EXPECT_FALSE(fault.detail.empty());
    read.faults.push_back(fault.parameter + " " + std::string(fault.code));
  }
  return read;
}

TEST(ReadParameters, KeepsTheDefaultsOfWhatIsAbsent) {
  const auto [query, faults] = read("");
  EXPECT_THAT(faults, IsEmpty());
  EXPECT_EQ(query.limit, 50);
  EXPECT_EQ(query.status, std::nullopt);
  EXPECT_EQ(query.started_after, std::nullopt);
}

TEST(ReadParameters, ReadsTextsNumbersAndTimes) {
  const auto [query, faults] =
      read("status=ended&caller_id=a%2Fb%20c+d%2B&limit=200&started_after=2026-11-22T15:39:21.123Z&cursor=x");
  EXPECT_THAT(faults, IsEmpty());
  EXPECT_EQ(query.status, "ended");
  EXPECT_EQ(query.caller_id, "a/b c d+");
  EXPECT_EQ(query.limit, 200);
  EXPECT_EQ(query.started_after, parse_timestamp("2026-11-22T15:39:21.123Z"));
  EXPECT_EQ(query.cursor, "x");
}

TEST(ReadParameters, TakesTheSignOfAnOffsetEncodedOrNot) {
  const auto wanted = parse_timestamp("2026-11-22T14:39:21Z");
  for (const auto* text : {"2026-11-22T15:39:21+01:00", "2026-11-22T15:39:21%2B01:00", "2026-11-22T13:39:21-01:00",
                           "2026-11-22t14:39:21.000000000z"}) {
    const auto [query, faults] = read(std::string("started_before=") + text);
    EXPECT_THAT(faults, IsEmpty()) << text;
    EXPECT_EQ(query.started_before, wanted) << text;
  }
}

TEST(ReadParameters, TellsAllFaultsAtOnce) {
  EXPECT_THAT(read("status=open&caller_id=..&user_id=&limit=0&started_after=x&more=1&started_before=").faults,
              UnorderedElementsAre("status enum", "caller_id format", "user_id length", "limit range",
                                   "started_after format", "started_before format", "more unknown_field"));
}

TEST(ReadParameters, TellsWhatIsNoNumberFromWhatIsOutOfRange) {
  for (const auto* text : {"", "x", "1.5", "1e2", "%201", "+1", "-", "0x10", "007", "1,0"}) {
    EXPECT_THAT(read(std::string("limit=") + text).faults, ElementsAre("limit type")) << text;
  }
  for (const auto* text : {"0", "-1", "201", "2147483648", "99999999999999999999999", "-9223372036854775809"}) {
    EXPECT_THAT(read(std::string("limit=") + text).faults, ElementsAre("limit range")) << text;
  }
  EXPECT_EQ(read("limit=1").query.limit, 1);
}

TEST(ReadParameters, RefusesClosedSetsByTheWholeWord) {
  for (const auto* text : {"", "activ", "active%7Cended", "Active", "ended ", "|"}) {
    EXPECT_THAT(read(std::string("status=") + text).faults, ElementsAre("status enum")) << text;
  }
}

TEST(ReadParameters, RefusesARepetitionOnceAndTakesTheFirst) {
  const auto [query, faults] = read("limit=3&limit=4&limit=5&%6Cimit=6&x=1&x=2");
  EXPECT_THAT(faults, ElementsAre("limit format", "x unknown_field"));
  EXPECT_EQ(query.limit, 3);
}

TEST(ReadParameters, MeasuresUserIdsInCharacters) {
  std::string id;
  for (int i = 0; i < 128; ++i) id += "%F0%9F%99%82";
  EXPECT_THAT(read("user_id=" + id).faults, IsEmpty());
  EXPECT_THAT(read("user_id=x" + id).faults, ElementsAre("user_id length"));
  EXPECT_THAT(read("user_id=a%00b").faults, ElementsAre("user_id format"));
  EXPECT_THAT(read("user_id=a+").faults, ElementsAre("user_id format"));
}

TEST(ReadParameters, KnowsNoParameterWithoutAName) {
  EXPECT_THAT(read("=1").faults, ElementsAre("=1 unknown_field"));
  EXPECT_THAT(read("&&limit=1&").faults, IsEmpty());
  EXPECT_THAT(read("limit").faults, ElementsAre("limit type"));
}

TEST(ParseQuery, RefusesBrokenEncoding) {
  for (const auto* text : {"%", "a=%4", "a=%zz", "%=1", "a=%FF", "a=b&c=%C0%AF", "\xFF"}) {
    EXPECT_EQ(http::parse_query(text), std::nullopt) << text;
  }
}

TEST(ParseQuery, SplitsAtTheFirstEqualsSign) {
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(*http::parse_query("a=b=c&d&=&%26=%3D"),
              ElementsAre(Pair("a", "b=c"), Pair("d", ""), Pair("", ""), Pair("&", "=")));
}

}  // namespace
}  // namespace call_service::wire
