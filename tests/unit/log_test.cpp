#include "log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <limits>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

#include "base/text.hpp"
#include "log_line.hpp"
#include "wire/json.hpp"

namespace call_service::log {
namespace {

constexpr Timestamp some_time{Milliseconds{1'795'361'961'123}};

std::string line(Style style, Level level, std::string_view event, std::initializer_list<Field> fields,
                 const Origin& origin = {}) {
  std::string out;
  append_line(out, style, some_time, level, event, origin, fields);
  return out;
}

TEST(LogLine, JsonHasTimeLevelEventAndFields) {
  EXPECT_EQ(line(Style::json, Level::info, "listening",
                 {{"host", "127.0.0.1"}, {"port", 8000}, {"took", 0.25}, {"ready", true}}),
            R"({"time":"2026-11-22T15:39:21.123Z","level":"info","event":"listening",)"
            R"("host":"127.0.0.1","port":8000,"took":0.25,"ready":true})");
}

TEST(LogLine, TextIsForPeople) {
  EXPECT_EQ(line(Style::text, Level::warning, "slow request", {{"path", "/calls/a b"}, {"status", 200}, {"id", "x-1"}}),
            R"(2026-11-22T15:39:21.123Z warning slow request          path="/calls/a b" status=200 id=x-1)");
  EXPECT_EQ(line(Style::text, Level::info, "a_rather_long_name_of_an_event", {{"n", 1}}),
            "2026-11-22T15:39:21.123Z info    a_rather_long_name_of_an_event n=1");
}

TEST(LogLine, OnlyColouredTextHasColours) {
  const auto text = [](Style style) { return line(style, Level::error, "e", {{"a", "b"}}); };
  EXPECT_THAT(text(Style::coloured_text), ::testing::HasSubstr("\x1B[31merror"));
  EXPECT_THAT(text(Style::text), ::testing::Not(::testing::HasSubstr("\x1B")));
  EXPECT_THAT(line(Style::coloured_text, Level::info, "e", {{"a", "\x1B[31m"}}),
              ::testing::HasSubstr(R"("\u001b[31m")"));
}

TEST(LogLine, HasWhereItComesFrom) {
  const Origin origin{.request_id = "r-1", .trace_id = "t", .parent_id = "p"};
  EXPECT_THAT(line(Style::json, Level::info, "e", {{"n", 1}}, origin),
              ::testing::EndsWith(R"("event":"e","request_id":"r-1","trace_id":"t","parent_id":"p","n":1})"));
  EXPECT_THAT(line(Style::text, Level::info, "e", {{"n", 1}}, {.request_id = "r-1"}),
              ::testing::EndsWith(" request_id=r-1 n=1"));
}

TEST(LogLine, EmptyTextsAreLeftOut) {
  EXPECT_THAT(line(Style::json, Level::info, "e", {{"cause", ""}, {"n", 0}}),
              ::testing::EndsWith(R"("event":"e","n":0})"));
}

TEST(LogLine, IdsAreText) {
  const Uuid id = *Uuid::parse("01939c5e-8e3a-7c31-9b6e-0123456789ab");
  EXPECT_THAT(line(Style::json, Level::info, "e", {{"id", id}}),
              ::testing::HasSubstr(R"("id":"01939c5e-8e3a-7c31-9b6e-0123456789ab")"));
  EXPECT_THAT(line(Style::text, Level::info, "e", {{"id", id}}),
              ::testing::EndsWith(" id=01939c5e-8e3a-7c31-9b6e-0123456789ab"));
}

TEST(LogLine, LongTextsAreCutBetweenCharacters) {
  for (std::size_t before = 0; before < 4; ++before) {
    std::string value(before, 'x');
    while (value.size() < 100'000) value += "\xE2\x82\xAC";
    for (Style style : {Style::json, Style::text}) {
      const std::string text = line(style, Level::info, "e", {{"value", value}});
      EXPECT_LT(text.size(), longest_value + 128);
      EXPECT_THAT(text, ::testing::HasSubstr("\xE2\x82\xAC\xE2\x80\xA6\""));
      EXPECT_TRUE(is_utf8(text));
      EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("\xEF\xBF\xBD")));
    }
  }
  EXPECT_THAT(line(Style::text, Level::info, "e", {{"value", std::string(2000, 'x')}}),
              ::testing::EndsWith("xx\xE2\x80\xA6"));
}

TEST(LogLine, NumbersThatJsonLacksAreNull) {
  EXPECT_THAT(line(Style::json, Level::info, "e", {{"a", std::numeric_limits<double>::infinity()}}),
              ::testing::HasSubstr(R"("a":null)"));
}

TEST(LogLine, NoValueCanForgeALine) {
  std::mt19937 random(13);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int i = 0; i < 5'000; ++i) {
    std::string value(16, '\0');
    for (char& c : value) c = static_cast<char>(byte(random));
    value += "\xE2\x80\xA8\n{\"level\":\"error\"}\r\x1B[2J\xC2\x9B";
    for (Style style : {Style::json, Style::text}) {
      const std::string text = line(style, Level::info, "e", {{"value", value}});
      EXPECT_TRUE(is_utf8(text));
      EXPECT_FALSE(has_control_characters(text));
      if (style == Style::json) EXPECT_TRUE(wire::JsonDocument::parse(text));
    }
  }
}

class Log : public ::testing::Test {
 protected:
  void TearDown() override { configure(Level::info, Format::json); }

  static std::vector<std::string> captured_lines() {
    flush();
    std::istringstream all(::testing::internal::GetCapturedStdout());
    std::vector<std::string> lines;
    for (std::string text; std::getline(all, text);) lines.push_back(text);
    return lines;
  }
};

TEST_F(Log, WritesFromItsLevelUpwards) {
  configure(Level::warning, Format::json);
  EXPECT_FALSE(enabled(Level::info));
  EXPECT_TRUE(enabled(Level::error));
  ::testing::internal::CaptureStdout();
  info("not this");
  warning("but this", {{"n", 1}});
  error("and this");
  const auto lines = captured_lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], ::testing::HasSubstr(R"("level":"warning","event":"but this","n":1})"));
  EXPECT_THAT(lines[1], ::testing::HasSubstr("and this"));
}

TEST_F(Log, ALineComesOutWithoutBeingAskedFor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  flush();
  const int standard_output = ::dup(STDOUT_FILENO);
  ::dup2(ends[1], STDOUT_FILENO);
  info("listening", {{"port", 8000}});
  pollfd readable{.fd = ends[0], .events = POLLIN, .revents = 0};
  const int ready = ::poll(&readable, 1, 10'000);
  ::dup2(standard_output, STDOUT_FILENO);
  std::array<char, 256> text{};
  EXPECT_EQ(ready, 1);
  if (ready == 1) EXPECT_GT(::read(ends[0], text.data(), text.size()), 0);
  EXPECT_THAT(text.data(), ::testing::HasSubstr(R"("event":"listening","port":8000})"));
  for (int fd : {ends[0], ends[1], standard_output}) ::close(fd);
}

TEST_F(Log, ManyThreadsWriteWholeLines) {
  constexpr std::size_t count = 2'000;
  ::testing::internal::CaptureStdout();
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < 4; ++number) {
      threads.emplace_back([number] {
        for (std::size_t i = 0; i < count; ++i) info("line", {{"thread", number}, {"i", i}});
      });
    }
  }
  const auto lines = captured_lines();
  EXPECT_EQ(lines.size(), 4 * count);
  for (const std::string& text : lines) ASSERT_TRUE(wire::JsonDocument::parse(text)) << text;
}

}  // namespace
}  // namespace call_service::log
