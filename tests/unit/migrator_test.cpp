// The migrator on a SQLite file; PostgreSQL is covered by tests/functional/migrations.test.ts.

#include "database/migrations/migrator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "database/errors.hpp"
#include "database_test_support.hpp"

namespace call_service::db {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(UpgradeTarget, IsHeadANumberOfStepsOrARevision) {
  const std::array known{Migration{.revision = "0001"}, Migration{.revision = "0002"}};
  EXPECT_EQ(UpgradeTarget::parse("+2", known)->steps, 2u);
  EXPECT_EQ(UpgradeTarget::parse("0001", known)->last, "0001");
  EXPECT_GT(UpgradeTarget::parse("head", known)->last, "9999");
  for (const auto* text :
       {"", "+", "+0", "+x", "+1x", "+-1", "++1", "-1", "1", "0003", "HEAD", "+99999999999999999999"}) {
    EXPECT_FALSE(UpgradeTarget::parse(text, known)) << text;
  }
}

class MigratorOnSqlite : public testing::Test {
 protected:
  db_test::SqliteFile file_;
  SystemClock clock_;
  Migrator migrator_{*file_.connection, clock_};
};

TEST_F(MigratorOnSqlite, AppliesOnlyUpToTheTarget) {
  const auto all = migrations(Dialect::Kind::sqlite);
  EXPECT_THAT(migrator_.upgrade({.last = "0000"}), IsEmpty());
  EXPECT_EQ(migrator_.missing().size(), all.size());
  EXPECT_EQ(migrator_.upgrade({.steps = 1}).size(), 1u);
  EXPECT_EQ(migrator_.applied().size(), 1u);
  migrator_.upgrade();
  EXPECT_THAT(migrator_.missing(), IsEmpty());
  EXPECT_THAT(migrator_.upgrade({.last = "0001"}), IsEmpty());
}

TEST_F(MigratorOnSqlite, SeesViewsOfOurNamesInAnySpelling) {
  file_.connection->execute_script(
      "CREATE TABLE mine (x); CREATE VIEW users AS SELECT x FROM mine; CREATE TABLE Calls (x)");
  EXPECT_THAT(migrator_.foreign_tables(), ElementsAre("users", "calls"));
}

TEST_F(MigratorOnSqlite, LeavesTheMigrationsOfOthersAlone) {
  file_.connection->execute_script(
      "CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES ('20260101')");
  EXPECT_THAT(migrator_.foreign_tables(), IsEmpty());
  EXPECT_THAT(migrator_.applied(), IsEmpty());
  EXPECT_EQ(migrator_.upgrade().size(), migrations(Dialect::Kind::sqlite).size());
  EXPECT_EQ(schema_fault(migrator_), std::nullopt);
}

}  // namespace
}  // namespace call_service::db
