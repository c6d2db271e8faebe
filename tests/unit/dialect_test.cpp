#include "database/dialect.hpp"

#include <gtest/gtest.h>

#include "database/errors.hpp"

namespace call_service::db {
namespace {

const Dialect postgresql(Dialect::Kind::postgresql, "tele\"phone");
const Dialect sqlite(Dialect::Kind::sqlite, "");

TEST(Dialect, QuotesIdentifiers) {
  EXPECT_EQ(quote_identifier("calls"), R"("calls")");
  EXPECT_EQ(quote_identifier(R"(a"b""c)"), R"("a""b""""c")");
  EXPECT_EQ(quote_identifier(""), R"("")");
}

TEST(Dialect, QualifiesTables) {
  EXPECT_EQ(postgresql.qualified("calls"), R"("tele""phone"."calls")");
  EXPECT_EQ(sqlite.qualified("calls"), R"("calls")");
}

TEST(Dialect, ExpandsWhatTheDatabasesSpellDifferently) {
  struct Case {
    const char* text;
    const char* postgresql;
    const char* sqlite;
  };
  const Case cases[] = {
      {"SELECT 1 {lock:c}", "SELECT 1 FOR UPDATE OF c", "SELECT 1 "},
      {"SELECT 1 {skip_locked}", "SELECT 1 FOR UPDATE SKIP LOCKED", "SELECT 1 "},
      {"RETURNING {of:c}call_id, {of:cc}status", "RETURNING c.call_id, cc.status", "RETURNING call_id, status"},
      {"{greatest}(a, b)", "GREATEST(a, b)", "max(a, b)"},
      {"a{json}", "a::json", "a"},
      {"EXISTS (SELECT 1 {one_by_one})", "EXISTS (SELECT 1 OFFSET 0)", "EXISTS (SELECT 1 )"},
      {"JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} WHERE",
       R"(JOIN LATERAL (SELECT c.* FROM "tele""phone"."calls" c WHERE c.call_id = i.call_id OFFSET 0) c ON true WHERE)",
       R"(JOIN (SELECT c.* FROM "calls" c WHERE c.call_id = i.call_id ) c WHERE)"},
      {"{schema}", R"("tele""phone")", "main"},
      {"FROM {calls} c, {call_users}", R"(FROM "tele""phone"."calls" c, "tele""phone"."call_users")",
       R"(FROM "calls" c, "call_users")"},
      {"SELECT 1", "SELECT 1", "SELECT 1"},
      {"", "", ""},
  };
  for (const auto& [text, in_postgresql, in_sqlite] : cases) {
    EXPECT_EQ(postgresql.expand(text), in_postgresql) << text;
    EXPECT_EQ(sqlite.expand(text), in_sqlite) << text;
  }
}

TEST(Dialect, QuotesABodyThatNoSchemasNameEnds) {
  const auto quote = [](const char* schema) { return Dialect(Dialect::Kind::postgresql, schema).expand("{body}"); };
  EXPECT_EQ(quote("public"), "$body$");
  EXPECT_EQ(quote("a$body$b"), "$bodyy$");
  EXPECT_EQ(quote("$bodyy$ $body$"), "$bodyyy$");
}

TEST(Dialect, RefusesWhatIsNoNameInBraces) {
  EXPECT_EQ(postgresql.expand("'{{}'"), "'{}'");
  for (const auto* text : {"{", "{}", "'{\"a\": 1}'", "a {calls", "{a b}", "{calls{}"}) {
    EXPECT_THROW(postgresql.expand(text), StatementFailed) << text;
  }
}

const std::vector<Column> everything{{"id", Type::uuid},        {"name", Type::text},    {"at", Type::timestamp},
                                     {"number", Type::integer}, {"flag", Type::boolean}, {"data", Type::json}};

// Each text becomes the other, behind `with`.
void expect_in_sqlite(const std::vector<std::pair<const char*, std::string>>& cases, const std::string& with = "") {
  for (const auto& [text, in_sqlite] : cases) {
    EXPECT_EQ(sqlite.render({.name = "some", .input = everything, .sql = text}), with + in_sqlite) << text;
  }
}

TEST(Dialect, RendersTheInputAsArraysOrAsOneRow) {
  const Statement statement{.name = "everything",
                            .input = everything,
                            .sql = "SELECT i.id FROM input i JOIN {calls} c ON c.call_id = i.id {lock:c}"};
  EXPECT_EQ(postgresql.render(statement),
            "WITH input AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], "
            "$5::boolean[], $6::json[]) AS i(id, name, at, number, flag, data)) "
            R"(SELECT i.id FROM input i JOIN "tele""phone"."calls" c ON c.call_id = i.id FOR UPDATE OF c)");
  EXPECT_EQ(sqlite.render(statement),
            "WITH input(id, name, at, number, flag, data) AS (SELECT ?1, ?2, ?3, ?4, ?5, ?6) "
            R"(SELECT ?1 FROM input i JOIN "calls" c ON c.call_id = ?1 )");
}

TEST(Dialect, MakesNoRelationOfTheInputForSqliteWhereItNeedsNone) {
  expect_in_sqlite({
      {"SELECT i.id FROM input i", "SELECT ?1 "},
      {"INSERT INTO t SELECT i.id, i.data FROM input i\n  WHERE true ORDER BY i.id",
       "INSERT INTO t SELECT ?1, ?6 WHERE true ORDER BY ?1"},
      {"SELECT i.id FROM input i UNION ALL SELECT i.name FROM input i", "SELECT ?1 UNION ALL SELECT ?2 "},
      {"UPDATE t SET a = i.at FROM input i WHERE t.a = (SELECT i.at FROM input i)",
       "UPDATE t SET a = ?3 WHERE t.a = (SELECT ?3 )"},
      {"SELECT c.at, i.name FROM input i JOIN {by_key:calls:c} c.id = i.id {key:c} WHERE c.i = wi.id",
       R"(SELECT c.at, ?2 FROM (SELECT c.* FROM "calls" c WHERE c.id = ?1 ) c WHERE c.i = wi.id)"},
      {"SELECT f.n FROM input i, {lateral} (SELECT count(*) AS n FROM t WHERE t.id = i.id) f",
       "SELECT f.n FROM  (SELECT count(*) AS n FROM t WHERE t.id = ?1) f"},
  });
}

TEST(Dialect, LooksForTheTargetItselfInSqliteWhereItIsTheRowThatIsFoundByKey) {
  expect_in_sqlite({
      {"UPDATE {calls} AS t SET a = t.a + 1, at = i.at FROM input i JOIN {by_key:calls:c} c.id = i.id {key:c} "
       "WHERE t.id = c.id AND c.status = 'active'",
       R"(UPDATE "calls" AS c SET a = c.a + 1, at = ?3 WHERE (c.id = ?1 ) AND c.status = 'active')"},
      {"UPDATE {calls} AS t SET at = i.at\nFROM input i JOIN {by_key:calls:c} c.id = i.id {key:c}\n WHERE t.id = c.id "
       "RETURNING {of:t}id",
       "UPDATE \"calls\" AS c SET at = ?3\nWHERE (c.id = ?1 ) RETURNING id"},
      {"UPDATE {calls} AS t SET at = i.at FROM input i JOIN {by_key:calls:c} c.id = i.id {key:c} "
       "JOIN {by_key:sessions:s} s.id = i.id {key:s} WHERE t.id = c.id",
       R"(UPDATE "calls" AS t SET at = ?3 FROM (SELECT c.* FROM "calls" c WHERE c.id = ?1 ) c )"
       R"(JOIN (SELECT s.* FROM "sessions" s WHERE s.id = ?1 ) s WHERE t.id = c.id)"},
      {"UPDATE {calls} AS t SET at = i.at FROM input i JOIN {by_key:sessions:s} s.id = i.id {key:s} WHERE t.id = "
       "s.call_id",
       R"(UPDATE "calls" AS t SET at = ?3 FROM (SELECT s.* FROM "sessions" s WHERE s.id = ?1 ) s WHERE t.id = s.call_id)"},
  });
}

TEST(Dialect, KeepsTheInputForSqliteWhereSomethingNeedsIt) {
  expect_in_sqlite(
      {
          {"SELECT a FROM t LIMIT (SELECT number FROM input)", "SELECT a FROM t LIMIT (SELECT number FROM input)"},
          {"SELECT i.id, i.unknown FROM input i LEFT JOIN t ON true",
           "SELECT ?1, i.unknown FROM input i LEFT JOIN t ON true"},
          {"SELECT t.id FROM t JOIN input i ON t.id = i.id", "SELECT t.id FROM t JOIN input i ON t.id = ?1"},
      },
      "WITH input(id, name, at, number, flag, data) AS (SELECT ?1, ?2, ?3, ?4, ?5, ?6) ");
}

TEST(Dialect, RendersAStatementWithoutInputAsItIs) {
  const Statement statement{.name = "all", .input = {}, .sql = "SELECT count(*) FROM {users}"};
  EXPECT_EQ(postgresql.render(statement), R"(SELECT count(*) FROM "tele""phone"."users")");
  EXPECT_EQ(sqlite.render(statement), R"(SELECT count(*) FROM "users")");
}

}  // namespace
}  // namespace call_service::db
