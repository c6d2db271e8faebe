#include "database/schema/sql_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace call_service::db {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SqlText, IsEqualWhateverItsSpacesCommentsAndLetterCase) {
  const std::string plain = "check (status in ('Active', 'it''s') and a.b <> 1)";
  EXPECT_EQ(normalised_sql("CHECK(STATUS IN('Active','it''s')AND a . b<>1)"), plain);
  EXPECT_EQ(normalised_sql("check -- why\n (\"status\" IN /* ; */ ('Active', 'it''s') and a.b <> 1)"), plain);
  EXPECT_NE(normalised_sql("check (status in ('active', 'it''s') and a.b <> 1)"), plain);
}

TEST(SqlText, KeepsTheQuotesOfOddNames) {
  EXPECT_EQ(normalised_sql(R"("Odd name", "a""b", "plain", `x`)"), R"("Odd name", "a""b", plain, x)");
  EXPECT_EQ(sql_name("Odd name"), R"("Odd name")");
  EXPECT_EQ(sql_name("a\"b"), R"("a""b")");
  EXPECT_EQ(sql_name("1st"), R"("1st")");
  EXPECT_EQ(sql_name("Plain_2"), "plain_2");
}

TEST(SqlText, SplitsAtTheEndsOfStatementsOnly) {
  EXPECT_THAT(split_statements("A 'x;''y'; -- one; two\nB \";\" /* ; */;;C $f$ ; $g$ ; $f$ "),
              ElementsAre("A 'x;''y'", "B \";\" /* ; */", "C $f$ ; $g$ ; $f$ "));
  EXPECT_THAT(split_statements(" -- nothing\n ; "), IsEmpty());
}

TEST(SqlText, EndsWithTheTextWhateverWasBegun) {
  for (const auto* text : {"'a", "\"a", "/* a", "-- a", "$f$ a", "$", "(", "a \xc3\xbc 'b''"}) {
    normalised_sql(text);
    EXPECT_LE(split_statements(text).size(), 1) << text;
  }
}

TEST(SqlText, FindsTheParenthesisThatCloses) {
  const auto tokens = sql_tokens("a (b (')') c) d");
  EXPECT_EQ(closing_parenthesis(tokens, 1), 7);
  EXPECT_EQ(closing_parenthesis(sql_tokens("(a"), 0), 2);
}

}  // namespace
}  // namespace call_service::db
