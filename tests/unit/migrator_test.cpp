// The migrator on a SQLite file; PostgreSQL is covered by tests/functional/migrations*.test.ts.

#include "database/migrations/migrator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database/errors.hpp"
#include "database_test_support.hpp"

namespace call_service::db {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Migration migration(std::string revision, std::string upgrade, std::string compatible_from = "0000") {
  return {.revision = std::move(revision),
          .name = "test",
          .compatible_from = std::move(compatible_from),
          .upgrade = {.sql = std::move(upgrade)},
          .downgrade = {.sql = "DROP TABLE t;"}};
}

std::vector<std::string> revisions(const auto& all) {
  std::vector<std::string> revisions;
  for (const auto& each : all) revisions.push_back(each.revision);
  return revisions;
}

class MigratorOnSqlite : public testing::Test {
 protected:
  Migrator with(std::vector<Migration> known) { return {*file_.connection, clock_, std::move(known)}; }

  db_test::SqliteFile file_;
  SystemClock clock_;
  Migrator migrator_{*file_.connection, clock_};
};

TEST_F(MigratorOnSqlite, GoesAsFarAsItIsTold) {
  auto migrator = with({migration("0001", "CREATE TABLE a (x);"), migration("0002", "CREATE TABLE b (x);"),
                        migration("0003", "CREATE TABLE c (x);")});
  EXPECT_THAT(revisions(*migrator.upgrade("+1")), ElementsAre("0001"));
  EXPECT_THAT(revisions(*migrator.upgrade("0002")), ElementsAre("0002"));
  EXPECT_THAT(*migrator.upgrade("0001"), IsEmpty());
  EXPECT_THAT(revisions(*migrator.upgrade()), ElementsAre("0003"));
  EXPECT_THAT(*migrator.upgrade(), IsEmpty());
}

TEST_F(MigratorOnSqlite, TellsOfTargetsThatCannotBe) {
  auto migrator = with({migration("0001", ""), migration("0002", "")});
  for (const auto* text :
       {"", "+", "+0", "+x", "+1x", "+-1", "++1", "-1", "1", "0003", "HEAD", "+3", "+99999999999999999999"}) {
    const auto done = migrator.upgrade(text);
    ASSERT_FALSE(done) << text;
    EXPECT_THAT(done.error(), HasSubstr("0002")) << text;
  }
  migrator.upgrade();
  for (const auto* text : {"", "-", "-0", "-x", "--1", "-3", "+1", "head", "0003", "0"}) {
    EXPECT_FALSE(migrator.downgrade(text)) << text;
  }
  for (const auto* text : {"", "+1", "-1", "0003"}) EXPECT_FALSE(migrator.stamp(text)) << text;
  EXPECT_THAT(migrator.missing(), IsEmpty());
}

TEST_F(MigratorOnSqlite, LeavesTheDatabaseAsItWasWhenAMigrationFails) {
  auto migrator = with({migration("0001", "CREATE TABLE a (x);"), migration("0002", "CREATE TABLE b (x); nonsense;")});
  try {
    migrator.upgrade();
    FAIL() << "nonsense was run";
  } catch (const StatementFailed& error) {
    EXPECT_THAT(error.what(), HasSubstr("0002_test"));
  }
  EXPECT_THAT(revisions(migrator.applied()), ElementsAre("0001"));
  auto mended = with({migration("0001", ""), migration("0002", "CREATE TABLE b (x);")});
  EXPECT_THAT(revisions(*mended.upgrade()), ElementsAre("0002"));
}

TEST_F(MigratorOnSqlite, EndsItsTransactionBehindALastComment) {
  auto migrator = with({migration("0001", "CREATE TABLE a (x);  -- the end")});
  migrator.upgrade();
  const auto other = file_.database.connect(ConnectionRole::read);
  EXPECT_THAT(revisions(Migrator(*other, clock_).applied()), ElementsAre("0001"));
}

TEST_F(MigratorOnSqlite, MakesATableAnewWithoutTouchingThoseThatReferToIt) {
  auto migrator = with({migration("0001",
                                  "CREATE TABLE t (id text PRIMARY KEY);"
                                  "CREATE TABLE child (id text REFERENCES t (id) ON DELETE CASCADE);"
                                  "INSERT INTO t VALUES ('x'); INSERT INTO child VALUES ('x');"),
                        migration("0002",
                                  "CREATE TABLE t__new (id text PRIMARY KEY, more text);"
                                  "INSERT INTO t__new (id) SELECT id FROM t;"
                                  "DROP TABLE t; ALTER TABLE t__new RENAME TO t;")});
  migrator.upgrade();
  const Statement count{
      .name = "count", .sql = "SELECT count(*) FROM child c JOIN t ON t.id = c.id", .output = {Type::integer}};
  EXPECT_EQ(file_.connection->query(count, {}), (Rows{{std::int64_t{1}}}));
}

TEST_F(MigratorOnSqlite, RefusesAMigrationThatLeavesRowsReferringToNothing) {
  auto migrator =
      with({migration("0001",
                      "CREATE TABLE t (id text PRIMARY KEY); CREATE TABLE child (id text REFERENCES t (id));"
                      "INSERT INTO t VALUES ('x'); INSERT INTO child VALUES ('x');"),
            migration("0002", "DELETE FROM t;")});
  EXPECT_THROW(migrator.upgrade(), StatementFailed);
  EXPECT_THAT(revisions(migrator.applied()), ElementsAre("0001"));
  EXPECT_THROW(file_.connection->execute_script("DELETE FROM t"), StatementFailed) << "foreign keys are on again";
}

TEST_F(MigratorOnSqlite, SeesViewsOfOurNamesInAnySpelling) {
  file_.connection->execute_script(
      "CREATE TABLE mine (x); CREATE VIEW users AS SELECT x FROM mine; CREATE TABLE Calls (x)");
  EXPECT_THAT(migrator_.foreign_tables(), ElementsAre("users", "calls"));
}

TEST_F(MigratorOnSqlite, SeesForeignTablesThatALaterMigrationWouldMake) {
  migrator_.upgrade("0001");
  file_.connection->execute_script("CREATE TABLE timeline (x)");
  EXPECT_THAT(migrator_.foreign_tables(), ElementsAre("timeline"));
}

TEST_F(MigratorOnSqlite, LeavesTheMigrationsOfOthersAlone) {
  file_.connection->execute_script(
      "CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES ('20260101')");
  EXPECT_THAT(migrator_.foreign_tables(), IsEmpty());
  EXPECT_THAT(migrator_.applied(), IsEmpty());
  EXPECT_EQ(migrator_.upgrade()->size(), migrations(Dialect::Kind::sqlite).size());
  EXPECT_EQ(schema_fault(migrator_), std::nullopt);
}

class Compatibility : public MigratorOnSqlite {
 protected:
  // Whether a program that knows up to `head` runs on what one that knows `all` has made.
  bool runs(const std::vector<Migration>& all, std::size_t head) {
    with(all).upgrade();
    auto older = with({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(head)});
    return !schema_fault(older);
  }

  std::vector<Migration> three(std::string second, std::string third) {
    return {migration("0001", "", "0001"), migration("0002", "", std::move(second)),
            migration("0003", "", std::move(third))};
  }
};

TEST_F(Compatibility, EndsWhereTheDatabaseSaysSo) {
  EXPECT_TRUE(runs(three("0001", "0002"), 3));
  EXPECT_TRUE(runs(three("0001", "0002"), 2));
  EXPECT_FALSE(runs(three("0001", "0002"), 1));
}

TEST_F(Compatibility, MayReachFurtherBack) {
  EXPECT_TRUE(runs(three("0001", "0001"), 1));
}

TEST_F(Compatibility, MayEndAtOnce) {
  EXPECT_FALSE(runs(three("0002", "0003"), 2));
}

TEST_F(Compatibility, IsForOneMoreRevisionWhereNothingIsRecorded) {
  file_.connection->execute_script(
      "CREATE TABLE call_service_migrations (revision text PRIMARY KEY, name text, applied_at text);"
      "INSERT INTO call_service_migrations VALUES ('0001', 'a', '2026-01-01T00:00:00.000Z'),"
      " ('0002', 'b', '2026-01-01T00:00:00.000Z')");
  auto migrator = with({migration("0001", "")});
  EXPECT_EQ(schema_fault(migrator), std::nullopt);
  file_.connection->execute_script(
      "INSERT INTO call_service_migrations VALUES ('0003', 'c', '2026-01-01T00:00:00.000Z')");
  EXPECT_NE(schema_fault(migrator), std::nullopt);
}

TEST_F(Compatibility, DoesNotLetAnOlderProgramGoOn) {
  with({migration("0001", ""), migration("0003", "")}).upgrade();
  auto older = with({migration("0001", ""), migration("0002", "")});
  EXPECT_FALSE(older.upgrade());
  EXPECT_FALSE(older.downgrade("base"));
}

}  // namespace
}  // namespace call_service::db
