#include "api/cursor.hpp"

#include <gtest/gtest.h>

#include "schemas/queries.hpp"

namespace call_service::api {
namespace {

using schemas::ListCallsQuery;
using schemas::ListSessionsQuery;

const Uuid call = *Uuid::parse("0190a3b4-c5d6-7e8f-9012-abcdef345678");
const Position place{.number = 1'795'361'961'123, .id = call};

TEST(Cursor, TellsThePlaceItWasMadeFor) {
  const auto list = list_id(ListCallsQuery{}, std::nullopt);
  for (const Position& each :
       {place, Position{}, Position{.number = -1, .id = call}, Position{.number = 253'402'300'799'999}}) {
    EXPECT_EQ(decode_cursor(encode_cursor(list, each), list), each);
  }
}

TEST(Cursor, IsMadeOfCharactersThatNeedNoEncoding) {
  std::string all;
  for (int i = 0; i < 300; ++i) all += encode_cursor(list_id("x", std::nullopt, std::to_string(i)), {.number = i});
  EXPECT_EQ(all.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
}

TEST(Cursor, FitsOneListWithOneSetOfFilters) {
  const auto list = list_id(ListCallsQuery{.status = "active"}, std::nullopt);
  const auto cursor = encode_cursor(list, place);
  const ListCallsQuery others[] = {{},
                                   {.status = "ended"},
                                   {.caller_id = "active"},
                                   {.status = "active", .user_id = "a"},
                                   {.status = "active", .started_after = Timestamp{}}};
  for (const auto& other : others) {
    const auto read = decode_cursor(cursor, list_id(other, std::nullopt));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().parameter, "cursor");
    EXPECT_EQ(read.error().code, "format");
  }
  const auto sessions = list_id(ListSessionsQuery{.status = "active"}, call);
  EXPECT_FALSE(decode_cursor(cursor, sessions));
  EXPECT_FALSE(decode_cursor(encode_cursor(sessions, place), list_id(ListSessionsQuery{.status = "active"}, Uuid{})));
}

TEST(Cursor, AllowsAnotherLimitAndKnowsEqualTimesByTheirValue) {
  ListCallsQuery query{.started_after = parse_timestamp("2026-11-22T15:00:00+01:00")};
  const auto list = list_id(query, std::nullopt);
  query.limit = 7;
  query.cursor = "x";
  query.started_after = parse_timestamp("2026-11-22T14:00:00Z");
  EXPECT_EQ(list_id(query, std::nullopt), list);
}

TEST(Cursor, IsRefusedWhenDamaged) {
  const auto list = list_id(ListCallsQuery{}, std::nullopt);
  const auto cursor = encode_cursor(list, place);
  for (std::size_t size = 0; size < cursor.size(); ++size) {
    EXPECT_FALSE(decode_cursor(std::string_view(cursor).substr(0, size), list));
  }
  for (const std::string& text :
       {cursor + "A", cursor + "=", " " + cursor, cursor + "\n", std::string(cursor.size(), '*')}) {
    EXPECT_FALSE(decode_cursor(text, list)) << text;
  }
}

TEST(Cursor, HoldsNoNumberBeyondWhatATimeMayBe) {
  const auto list = list_id(ListCallsQuery{}, std::nullopt);
  for (const std::int64_t number :
       {INT64_MAX, INT64_MIN, std::int64_t{253'402'300'800'000}, std::int64_t{-62'167'219'200'001}}) {
    EXPECT_FALSE(decode_cursor(encode_cursor(list, {.number = number}), list)) << number;
  }
}

}  // namespace
}  // namespace call_service::api
