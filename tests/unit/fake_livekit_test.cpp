#include <gmock/gmock.h>

#include "fake_livekit/faults.hpp"
#include "fake_livekit/proto_text.hpp"
#include "fake_livekit/reading.hpp"
#include "fake_livekit/world.hpp"
#include "livekit/webhook_event.hpp"

namespace call_service::fake_livekit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SetClock final : public Clock {
 public:
  Timestamp now() const override { return at; }
  Timestamp at{Seconds(1'795'000'000)};
};

struct FakeWorldTest : testing::Test {
  SetClock clock;
  std::vector<Event> told;
  World world{clock, 1, [this](Event event) { told.push_back(std::move(event)); }};

  std::vector<std::string> types() const {
    std::vector<std::string> types;
    for (const Event& event : told) types.push_back(event.type);
    return types;
  }
  void pass(Seconds duration) {
    clock.at += duration;
    world.tick();
  }
  Join by(const std::string& identity, bool media = true) const {
    Claims claims{.identity = identity, .has_video = true, .room = "r"};
    claims.room_join = true;
    return {.claims = claims, .media = media};
  }
};

TEST_F(FakeWorldTest, ClosesARoomThatNobodyEntersAfterItsEmptyTimeout) {
  world.create_room("r", {.empty_timeout = 30});
  pass(Seconds(29));
  EXPECT_THAT(types(), ElementsAre("room_started"));
  pass(Seconds(1));
  EXPECT_THAT(types(), ElementsAre("room_started", "room_finished"));
  EXPECT_THAT(world.rooms({}), IsEmpty());
}

TEST_F(FakeWorldTest, ClosesALeftRoomAfterItsDepartureTimeoutUnlessSomebodyComes) {
  ASSERT_TRUE(world.join(by("ada")));
  world.leave("r", "ada", "CLIENT_INITIATED");
  pass(Seconds(19));
  ASSERT_TRUE(world.join(by("bob")));
  pass(Seconds(1'000));
  EXPECT_EQ(world.rooms({}).size(), 1);
  world.leave("r", "bob", "CLIENT_INITIATED");
  pass(Seconds(20));
  EXPECT_EQ(types().back(), "room_finished");
}

TEST_F(FakeWorldTest, NoticesALostClientAfterItsTimeAndNoOtherOfItsIdentity) {
  ASSERT_TRUE(world.join(by("ada")));
  ASSERT_TRUE(world.join(by("bob", false)));
  world.crash("r", "ada", Seconds(20));
  world.crash("r", "bob", Seconds(20));
  pass(Seconds(19));
  EXPECT_EQ(told.size(), 2);
  ASSERT_TRUE(world.join(by("ada")));  // back in time, as another connection
  pass(Seconds(1));
  EXPECT_THAT(types(), ElementsAre("room_started", "participant_joined", "participant_left", "participant_joined",
                                   "participant_connection_aborted"));
  EXPECT_EQ(world.participants("r").size(), 1);
}

TEST_F(FakeWorldTest, TellsNothingOfWhatIsPlacedOrVanishes) {
  world.place("r", {.participants = {Participant{.identity = "ada"}}});
  EXPECT_FALSE(world.participants("r").front().sid.empty());
  pass(Seconds(100'000));
  world.vanish("r");
  EXPECT_THAT(told, IsEmpty());
  world.create_room("r", {});
  world.restart();
  EXPECT_THAT(types(), ElementsAre("room_started"));
}

TEST_F(FakeWorldTest, TellsWhatTheServiceReads) {
  Join join = by("ada");
  join.claims.attributes = {{"session_id", "s"}};
  const auto joined = world.join(join);
  ASSERT_TRUE(joined);
  const auto event = livekit::parse_webhook_event(told.back().body);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, livekit::EventType::participant_joined);
  EXPECT_EQ(event->room->sid, joined->room_sid);
  EXPECT_EQ(event->participant->sid, joined->participant.sid);
  EXPECT_EQ(event->participant->session_id, "s");
  EXPECT_EQ(event->participant->joined_at, clock.at);
}

TEST(FakeFaultBook, AsksTheLastFaultFirstAndForgetsOneThatIsUsedUp) {
  FaultBook book(1);
  book.add({.kind = "unavailable"});
  book.add({.kind = "hang", .only = "ListRooms", .room = "r", .times = 1});
  const auto kind = [&](FaultTarget target, std::string_view subject, std::string_view room) {
    const auto fault = book.strike(target, subject, room);
    return fault ? fault->kind : "none";
  };
  EXPECT_EQ(kind(FaultTarget::request, "ListRooms", "other"), "unavailable");
  EXPECT_EQ(kind(FaultTarget::request, "ListRooms", "r"), "hang");
  EXPECT_EQ(kind(FaultTarget::request, "ListRooms", "r"), "unavailable");
  EXPECT_EQ(kind(FaultTarget::webhook, "ListRooms", "r"), "none");
  EXPECT_EQ(book.all().size(), 1);
}

TEST(FakeProtoText, WritesAnswersAndWebhooksEachTheirWay) {
  const auto write = [](Style style) {
    return ProtoText(style)
        .text("turn_password", "x")
        .big_number("joined_at_ms", 5)
        .number("max_participants", 0)
        .str();
  };
  EXPECT_EQ(write(Style::answer), R"({"turn_password":"x", "joined_at_ms":"5", "max_participants":0})");
  EXPECT_EQ(write(Style::webhook), R"({"turnPassword":"x", "joinedAtMs":"5"})");
}

TEST(FakeReader, TakesBothSpellingsAndNumbersAsTexts) {
  const auto read = [](std::string_view json) {
    const auto document = wire::JsonDocument::parse(json);
    bool fits = true;
    const auto settings = read_room_settings(Reader(document->root(), fits));
    return std::pair(settings.empty_timeout, fits);
  };
  EXPECT_EQ(read(R"({"emptyTimeout":7})"), std::pair(std::int64_t{7}, true));
  EXPECT_EQ(read(R"({"empty_timeout":"7"})"), std::pair(std::int64_t{7}, true));
  EXPECT_EQ(read(R"({"empty_timeout":null})"), std::pair(std::int64_t{300}, true));
  EXPECT_FALSE(read(R"({"empty_timeout":"soon"})").second);
  EXPECT_FALSE(read(R"({"empty_timeout":-1})").second);
  EXPECT_FALSE(read(R"([])").second);
}

}  // namespace
}  // namespace call_service::fake_livekit
