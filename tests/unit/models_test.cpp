// The models against the schema that the migrations make, and there and back through the repository.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "database/models/call.hpp"
#include "database/models/columns.hpp"
#include "database/models/intent.hpp"
#include "database/models/room_creation.hpp"
#include "database/models/session.hpp"
#include "database/models/user.hpp"
#include "database/models/webhook_event.hpp"
#include "database/repositories/call_repository.hpp"
#include "database_test_support.hpp"

namespace call_service::db {
namespace {

using db_test::run;
using models::Call;
using models::Session;
using std::string_literals::operator""s;

// Name -> "type" or "type NOT NULL".
using Schema = std::map<std::string, std::string>;

std::string_view sqlite_type(Type type) {
  return type == Type::integer || type == Type::boolean ? "integer" : "text";
}

template <typename Model>
Schema declared() {
  Schema schema;
  const auto add = [&]<typename Member>(const ColumnOf<Model, Member>& column) {
    schema[std::string(column.name)] =
        std::string(sqlite_type(column_type<Member>())) + (IsOptional<Member>::value ? "" : " NOT NULL");
  };
  std::apply([&](const auto&... columns) { (add(columns), ...); }, Model::columns());
  return schema;
}

class Models : public testing::Test {
 protected:
  Models() { file_.migrate(); }

  // `with_generated`: those too that the database computes.
  Schema migrated(std::string_view table, bool with_generated = false) {
    const Statement statement{.name = "columns",
                              .input = {{"table_name", Type::text}},
                              .sql =
                                  "SELECT p.name, lower(p.type), p.\"notnull\", p.hidden FROM input i, "
                                  "pragma_table_xinfo(i.table_name) p",
                              .output = {Type::text, Type::text, Type::boolean, Type::boolean}};
    Schema schema;
    for (const auto& row : file_.connection->query(statement, {{std::string(table)}})) {
      if (std::get<bool>(row[3]) && !with_generated) continue;
      schema[std::get<std::string>(row[0])] =
          std::get<std::string>(row[1]) + (std::get<bool>(row[2]) ? " NOT NULL" : "");
    }
    return schema;
  }

  template <typename Model>
  void insert(const Model& model) {
    static const Statement statement{.name = "insert",
                                     .input = input_columns<Model>(),
                                     .sql = "INSERT INTO {" + std::string(Model::table) + "} (" + column_list<Model>() +
                                            ") SELECT " + column_list<Model>("i") + " FROM input i"};
    file_.connection->query(statement, {to_row(model)});
  }

  void expect_kept(const Call& call, const Session& session) {
    const auto found = run(repository_.find(call.call_id, std::nullopt, 10));
    ASSERT_TRUE(found);
    EXPECT_EQ(to_row(found->call), to_row(call));
    ASSERT_EQ(found->sessions.size(), 1u);
    EXPECT_EQ(to_row(found->sessions.front()), to_row(session));
  }

  db_test::SqliteFile file_;
  Engine engine_{file_.database.dialect, file_.database.options, file_.database.connect};
  repositories::CallRepository repository_{engine_};
};

constexpr Timestamp at(int milliseconds) {
  return Timestamp(Milliseconds(1'795'361'961'123 + milliseconds));
}

TEST(SomeColumns, KeepTheModelsOrder) {
  const Columns<models::User> one{"created_at"};
  const Columns<models::User> both{"created_at", "user_id"};
  EXPECT_EQ(one.list(), "created_at");
  EXPECT_EQ(both.list("i"), "i.user_id, i.created_at");
  EXPECT_EQ(both.assignments(), "user_id = i.user_id, created_at = i.created_at");
  ASSERT_EQ(one.input().size(), 1u);
  EXPECT_EQ(one.input().front().type, Type::timestamp);
  const models::User ada{.user_id = "ada", .created_at = Timestamp(Milliseconds(7))};
  EXPECT_EQ(both.row(ada), (Row{"ada"s, ada.created_at}));
  EXPECT_EQ(one.row(ada, {std::int64_t{1}}), (Row{std::int64_t{1}, ada.created_at}));
  EXPECT_THAT(one.keyed_types(), testing::ElementsAre(Type::uuid, Type::timestamp));
  const auto read = one.read({std::int64_t{1}, ada.created_at}, 1);
  EXPECT_EQ(read.user_id, "");
  EXPECT_EQ(read.created_at, ada.created_at);
}

TEST(SomeColumns, AreOfTheModel) {
  EXPECT_THROW(Columns<models::User>({"name"}), std::logic_error);
}

TEST_F(Models, HaveTheColumnsOfTheirTables) {
  EXPECT_EQ(declared<models::User>(), migrated(models::User::table));
  EXPECT_EQ(declared<Call>(), migrated(Call::table));
  EXPECT_EQ(declared<Session>(), migrated(Session::table));
  EXPECT_EQ(declared<models::WebhookEvent>(), migrated(models::WebhookEvent::table));
  EXPECT_EQ(declared<models::Intent>(), migrated(models::Intent::table));
  EXPECT_EQ(declared<models::RoomCreation>(), migrated(models::RoomCreation::table));
}

TEST_F(Models, LackOnlyTheRoomNameWhichTheDatabaseComputes) {
  auto all = declared<Call>();
  all["room_name"] = "text NOT NULL";
  EXPECT_EQ(migrated(Call::table, true), all);
  EXPECT_EQ(migrated(Session::table, true), migrated(Session::table));
}

TEST_F(Models, OfAnEndedCallAndSessionAreKeptWithEveryMember) {
  Call call{.call_id = make_uuid_v7(at(0)), .caller_id = "ada \"the\" 1st", .started_at = at(0)};
  call.status = models::CallStatus::ended;
  call.ended_at = at(9'000);
  call.end_reason = "ended";
  call.ended_by = "backend";
  call.ended_by_type = "service";
  call.user_ids = std::vector{"bob"s, "naïve 😀"s, "a/b\\c\"d"s};
  call.max_participants = 10'000;
  call.metadata = wire::JsonObject{R"({"topic":"é\n","n":[1,2.5e3,null,true],"o":{}})"};
  call.room_deletion = "done";
  call.version = 9'007'199'254'740'993;
  call.room_sid = "RM_1";
  call.room_created_at = at(100);
  call.token_issued_at = at(200);
  call.closes_at = at(300);
  call.entered_at = at(400);
  call.seen_at = at(500);
  call.room_finished_at = at(250);
  call.former_rooms = std::vector{"RM_0 2026-11-22T15:39:21.123Z"s, "RM_2 -"s};

  Session session{.session_id = make_uuid_v7(at(1)), .call_id = call.call_id, .user_id = "bob", .name = "Bob 😀"};
  session.status = models::SessionStatus::ended;
  session.created_at = at(1);
  session.joined_at = at(2);
  session.left_at = at(3);
  session.disconnect_reason = "client_initiated";
  session.end_reason = "left";
  session.end_evidence = models::EndEvidence::departure;
  session.participant_sid = "PA_1";
  session.room_sid = "RM_1";
  session.token_expires_at = at(600'000);
  for (const auto& value : to_row(call)) EXPECT_FALSE(std::holds_alternative<std::monostate>(value));
  for (const auto& value : to_row(session)) EXPECT_FALSE(std::holds_alternative<std::monostate>(value));
  for (const auto& user : {call.caller_id, session.user_id}) insert(models::User{.user_id = user, .created_at = at(0)});
  insert(call);
  insert(session);
  expect_kept(call, session);
}

TEST_F(Models, OfANewCallAndSessionAreKeptWithTheirNulls) {
  const Call call{.call_id = make_uuid_v7(at(0)), .caller_id = "ada", .started_at = at(0)};
  const Session session{
      .session_id = make_uuid_v7(at(0)), .call_id = call.call_id, .user_id = "ada", .name = "ada", .created_at = at(0)};
  run(repository_.start({.call = call, .session = session, .actor = {.id = "backend", .type = "service"}}));
  expect_kept(call, session);
}

template <typename Enum>
void expect_names(std::initializer_list<std::pair<Enum, std::string_view>> names) {
  for (const auto& [value, name] : names) {
    EXPECT_EQ(name_of(value), name);
    Enum read{};
    parse(name, read);
    EXPECT_EQ(read, value);
  }
  Enum read{};
  EXPECT_THROW(parse("something else", read), std::runtime_error);
}

TEST(ModelEnums, AreStoredByName) {
  using models::CallStatus;
  using models::EndEvidence;
  using models::IntentKind;
  using models::SessionStatus;
  expect_names<CallStatus>({{CallStatus::active, "active"}, {CallStatus::ended, "ended"}});
  expect_names<SessionStatus>(
      {{SessionStatus::pending, "pending"}, {SessionStatus::active, "active"}, {SessionStatus::ended, "ended"}});
  expect_names<EndEvidence>({{EndEvidence::api, "api"},
                             {EndEvidence::timer, "timer"},
                             {EndEvidence::departure, "departure"},
                             {EndEvidence::successor, "successor"},
                             {EndEvidence::room, "room"},
                             {EndEvidence::generation, "generation"},
                             {EndEvidence::reconciler, "reconciler"}});
  expect_names<IntentKind>(
      {{IntentKind::delete_room, "delete_room"}, {IntentKind::remove_participant, "remove_participant"}});
}

TEST(ModelRoomName, IsOursOnlyInItsOneSpelling) {
  const Uuid id = *Uuid::parse("0190a3b4-c5d6-7e8f-9012-abcdef345678");
  EXPECT_EQ(models::room_name_of(id), "call_0190a3b4-c5d6-7e8f-9012-abcdef345678");
  EXPECT_EQ(models::call_id_of_room("call_0190a3b4-c5d6-7e8f-9012-abcdef345678"), id);
  for (const char* name : {"", "call_", "0190a3b4-c5d6-7e8f-9012-abcdef345678",
                           "call_0190a3b4-c5d6-7e8f-9012-ABCDEF345678", "Call_0190a3b4-c5d6-7e8f-9012-abcdef345678",
                           "call_0190a3b4-c5d6-7e8f-9012-abcdef345678 ", "call_0190a3b4c5d67e8f9012abcdef345678"}) {
    EXPECT_EQ(models::call_id_of_room(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace call_service::db
