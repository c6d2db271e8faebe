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

std::string line(Format format, Level level, std::string_view event, std::initializer_list<Field> fields) {
  std::string out;
  append_line(out, format, some_time, level, event, fields);
  return out;
}

TEST(LogLine, JsonHasTimeLevelEventAndFields) {
  EXPECT_EQ(line(Format::json, Level::info, "listening",
                 {{"host", "127.0.0.1"}, {"port", 8000}, {"took", 0.25}, {"ready", true}}),
            R"({"time":"2026-11-22T15:39:21.123Z","level":"info","event":"listening",)"
            R"("host":"127.0.0.1","port":8000,"took":0.25,"ready":true})");
}

TEST(LogLine, TextIsForPeople) {
  EXPECT_EQ(
      line(Format::text, Level::warning, "slow request", {{"path", "/calls/a b"}, {"status", 200}, {"id", "x-1"}}),
      R"(2026-11-22T15:39:21.123Z warning slow request path="/calls/a b" status=200 id=x-1)");
}

TEST(LogLine, NumbersThatJsonLacksAreNull) {
  EXPECT_THAT(line(Format::json, Level::info, "e", {{"a", std::numeric_limits<double>::infinity()}}),
              ::testing::HasSubstr(R"("a":null)"));
}

TEST(LogLine, NoValueCanForgeALine) {
  std::mt19937 random(13);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int i = 0; i < 5'000; ++i) {
    std::string value(16, '\0');
    for (char& c : value) c = static_cast<char>(byte(random));
    value += "\n{\"level\":\"error\"}\r\x1B[2J\xC2\x9B";
    for (Format format : {Format::json, Format::text}) {
      const std::string text = line(format, Level::info, "e", {{"value", value}});
      EXPECT_TRUE(is_utf8(text));
      EXPECT_FALSE(has_control_characters(text));
      if (format == Format::json) EXPECT_TRUE(wire::JsonDocument::parse(text));
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
