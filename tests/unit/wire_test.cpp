#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "schemas/text_rules.hpp"
#include "wire/read.hpp"
#include "wire/write.hpp"

namespace call_service {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

struct Inner {
  std::string label;
  std::optional<int> weight;

  static constexpr auto fields() {
    return std::tuple{wire::field("label", &Inner::label, {.min_length = 1}), wire::field("weight", &Inner::weight)};
  }
};

struct Sample {
  std::string user_id;
  std::optional<Uuid> call_id;
  std::optional<Timestamp> at;
  std::optional<int> count;
  std::optional<std::int64_t> big;
  std::optional<bool> flag;
  std::optional<wire::JsonObject> metadata;
  std::optional<std::vector<std::string>> user_ids;
  std::optional<Inner> inner;
  std::vector<Inner> inners;

  static constexpr auto fields() {
    return std::tuple{
        wire::field("user_id", &Sample::user_id, schemas::user_id),
        wire::field("call_id", &Sample::call_id),
        wire::field("at", &Sample::at),
        wire::field("count", &Sample::count, {.min = 1, .max = 10'000}),
        wire::field("big", &Sample::big),
        wire::field("flag", &Sample::flag),
        wire::field("metadata", &Sample::metadata, {.max_length = 64}),
        wire::field("user_ids", &Sample::user_ids,
                    {.min_length = 1, .max_length = 3, .check = schemas::check_user_id, .max_item_length = 128}),
        wire::field("inner", &Sample::inner),
        wire::field("inners", &Sample::inners),
    };
  }
};

struct Optional {
  std::optional<std::string> name;
  std::optional<wire::JsonObject> any;
  std::optional<std::int64_t> number;
  static constexpr auto fields() {
    return std::tuple{wire::field("name", &Optional::name), wire::field("any", &Optional::any),
                      wire::field("number", &Optional::number)};
  }
};

std::vector<std::string> faults_of(const Error& error) {
  std::vector<std::string> out;
  for (const Fault& fault : error.faults) out.push_back(fault.pointer + " " + std::string(fault.code));
  return out;
}

template <typename T>
std::vector<std::string> faults_in(std::string_view json) {
  const auto result = wire::read<T>(json);
  if (result) return {};
  EXPECT_EQ(result.error().code, ErrorCode::validation_failed) << json;
  return faults_of(result.error());
}

Error malformed(std::string_view json) {
  const auto result = wire::read<Optional>(json);
  if (result) {
    ADD_FAILURE() << "was read: " << json;
    return {ErrorCode::internal, {}, {}, {}};
  }
  EXPECT_EQ(result.error().code, ErrorCode::malformed_json) << json;
  return result.error();
}

TEST(WireRead, ReadsEveryKindOfMember) {
  const auto result = wire::read<Sample>(R"({
    "user_id": "\u00e9\ud83d\ude00", "call_id": "0190A3B4-C5D6-7E8F-9012-ABCDEF345678",
    "at": "2026-11-22T15:39:21.123Z", "count": 3.0, "big": -9223372036854775808, "flag": true,
    "metadata": { "a": [1, 1.50, {"b": null}], "c\n": "\u0041\/" },
    "user_ids": ["a", "b"], "inner": {"label": "x", "weight": null}, "inners": [{"label": "y", "weight": 1e2}] })");
  ASSERT_TRUE(result) << ::testing::PrintToString(faults_of(result.error())) << result.error().detail;
  EXPECT_EQ(result->user_id, "\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(result->call_id->to_string(), "0190a3b4-c5d6-7e8f-9012-abcdef345678");
  EXPECT_EQ(format_timestamp(*result->at), "2026-11-22T15:39:21.123Z");
  EXPECT_EQ(result->count, 3);
  EXPECT_EQ(result->big, INT64_MIN);
  EXPECT_EQ(result->flag, true);
  EXPECT_EQ(result->metadata->text, R"({"a":[1,1.50,{"b":null}],"c\n":"A/"})");
  EXPECT_THAT(*result->user_ids, ElementsAre("a", "b"));
  EXPECT_EQ(result->inner->label, "x");
  EXPECT_FALSE(result->inner->weight);
  EXPECT_EQ(result->inners.at(0).weight, 100);
}

TEST(WireRead, NothingAndNullAreAbsent) {
  for (const char* json : {"", "{}", R"({"name": null})", " {} \n"}) {
    const auto result = wire::read<Optional>(json);
    ASSERT_TRUE(result) << json;
    EXPECT_FALSE(result->name);
  }
}

TEST(WireRead, TellsAllFaultsAtOnce) {
  EXPECT_THAT(faults_in<Sample>(R"({
    "call_id": "7", "at": "yesterday", "count": 0, "big": 1.5, "flag": "yes", "metadata": [],
    "user_ids": ["a", 1, "", "..", ")" +
                                std::string(129, 'x') + R"("], "inner": {"label": ""},
    "inners": [{"label": "x"}, {"weight": "1"}, 3], "a/b~c": 1})"),
              UnorderedElementsAre("/user_id required", "/call_id format", "/at format", "/count range", "/big type",
                                   "/flag type", "/metadata type", "/user_ids length", "/user_ids/1 type",
                                   "/user_ids/2 length", "/user_ids/3 format", "/user_ids/4 length",
                                   "/inner/label length", "/inners/1/label required", "/inners/1/weight type",
                                   "/inners/2 type", "/a~1b~0c unknown_field"));
}

TEST(WireRead, ABodyThatIsNoObjectIsAFaultOfTheWhole) {
  for (const char* json : {"[]", "null", "3", "\"x\"", "true"}) {
    EXPECT_THAT(faults_in<Optional>(json), ElementsAre(" type")) << json;
  }
}

TEST(WireRead, ARequiredMemberMustNotBeNull) {
  EXPECT_THAT(faults_in<Sample>(R"({"user_id": null, "inners": []})"), ElementsAre("/user_id type"));
}

TEST(WireRead, AnOptionalMemberMayBeRequiredForOnce) {
  constexpr std::array<std::string_view, 2> names{"name", "number"};
  const auto faults = [&](std::string_view json) {
    const auto result = wire::read<Optional>(json, names);
    return result ? std::vector<std::string>{} : faults_of(result.error());
  };
  EXPECT_THAT(faults(""), ElementsAre("/name required", "/number required"));
  EXPECT_THAT(faults(R"({"name": null, "number": "1", "x": 1})"),
              UnorderedElementsAre("/name required", "/number type", "/x unknown_field"));
  EXPECT_THAT(faults(R"({"name": "", "number": 0})"), ElementsAre());
  EXPECT_THAT(faults("[]"), ElementsAre(" type"));
}

TEST(WireRead, LengthsCountCharacters) {
  std::string id;
  for (int i = 0; i < 128; ++i) id += "\xF0\x9F\x98\x80";
  EXPECT_TRUE(wire::read<Sample>(R"({"inners": [], "user_id": ")" + id + "\"}"));
  EXPECT_THAT(faults_in<Sample>(R"({"inners": [], "user_id": "x)" + id + "\"}"), ElementsAre("/user_id length"));
}

TEST(WireRead, WholeNumbersAreExactAndBounded) {
  EXPECT_EQ(wire::read<Optional>(R"({"number": 9223372036854775807})")->number, INT64_MAX);
  EXPECT_EQ(wire::read<Optional>(R"({"number": -0})")->number, 0);
  EXPECT_EQ(wire::read<Optional>(R"({"number": 1.5e1})")->number, 15);
  for (const char* json : {R"({"number": 9223372036854775808})", R"({"number": 1e19})", R"({"number": 1e999})",
                           R"({"number": -1e400})", R"({"number": 1e99999999999})"}) {
    EXPECT_THAT(faults_in<Optional>(json), ElementsAre("/number range")) << json;
  }
  EXPECT_THAT(faults_in<Optional>(R"({"number": 3.5})"), ElementsAre("/number type"));
  EXPECT_THAT(faults_in<Sample>(R"({"user_id": "a", "inners": [{"label": "x", "weight": 2147483648}]})"),
              ElementsAre("/inners/0/weight range"));
}

TEST(WireRead, WhatIsNotJsonIsMalformed) {
  for (const std::string& json : {"{"s,
                                  "{\"name\":}"s,
                                  "{} x"s,
                                  "{}{}"s,
                                  "\xEF\xBB\xBF{}"s,
                                  "{'name':1}"s,
                                  "{\"name\":\"a\nb\"}"s,
                                  "{\"a\":1,}"s,
                                  "// c\n{}"s,
                                  "{\"number\":NaN}"s,
                                  "{\"number\":01}"s,
                                  "{\"number\":+1}"s,
                                  "{\"number\":1.}"s,
                                  " "s,
                                  "\0"s,
                                  "{\"name\":\"\xFF\"}"s,
                                  "{\"name\":\"\xED\xA0\x80\"}"s,
                                  "{\"name\":\"\\ud800\"}"s,
                                  "{\"name\":\"\\udc00\"}"s,
                                  "{\"name\":\"\\ud800\\ud800\"}"s,
                                  "{\"na\\ud800me\":1}"s}) {
    malformed(json);
  }
}

TEST(WireRead, DuplicateKeysAreMalformedAtAnyDepth) {
  EXPECT_THAT(malformed(R"({"name":"a","name":"b"})").detail, HasSubstr("\"name\""));
  malformed(R"({"any":{"x":[{"k":1,"j":2,"\u006b":3}]}})");
  EXPECT_TRUE(wire::read<Optional>(R"({"any":{"x":{"k":1},"k":{"k":1}}})"));
}

TEST(WireRead, NestingEndsAt32) {
  const auto nested = [](int depth) {
    return "{\"any\":{\"a\":" + std::string(static_cast<std::size_t>(depth - 2), '[') +
           std::string(static_cast<std::size_t>(depth - 2), ']') + "}}";
  };
  EXPECT_TRUE(wire::read<Optional>(nested(32)));
  EXPECT_THAT(malformed(nested(33)).detail, HasSubstr("32"));
  malformed(std::string(60'000, '['));
}

TEST(WireRead, AMalformedTextSaysWhere) {
  EXPECT_THAT(malformed(R"({"name": x})").detail, HasSubstr("at byte 9"));
  EXPECT_THAT(malformed("{\"name\":\"\xFF\"}").detail, HasSubstr("at byte 9"));
}

TEST(WireRead, ObjectsKeepTheirValue) {
  for (const char* text : {R"({"a":0.1,"b":1e308,"c":18446744073709551615,"d":-0.0,"e":5e-324})", "{}",
                           R"({"z":1,"a":"\"\\\b\f\n\r\t\u0001","é😀":[true,false,null,[],{}]})"}) {
    const auto result = wire::read<Optional>(R"({"any":)" + std::string(text) + "}");
    ASSERT_TRUE(result) << text;
    EXPECT_EQ(result->any->text, text);
  }
}

TEST(WireRead, ObjectsAreKeptAndMeasuredWithoutNeedlessEscapes) {
  const std::string separators = "\xE2\x80\xA8\xE2\x80\xA9\x7F\xC2\x85";
  const auto result = wire::read<Optional>(R"({"any":{"\u2028":"\u2028\u2029\u007f\u0085\u0001\/\""}})");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->any->text, "{\"\xE2\x80\xA8\":\"" + separators + "\\u0001/\\\"\"}");
  const std::string longest = R"({"user_id":"a","inners":[],"metadata":{"k":")" + std::string(56, '\x7F');
  EXPECT_TRUE(wire::read<Sample>(longest + "\"}}"));
  EXPECT_THAT(faults_in<Sample>(longest + "\x7F\"}}"), ElementsAre("/metadata length"));
}

TEST(WireRead, ObjectsAreRefusedWhatCannotBeKept) {
  EXPECT_THAT(faults_in<Optional>(R"({"any":{"a":["x\u0000"]}})"), ElementsAre("/any format"));
  EXPECT_THAT(faults_in<Optional>(R"({"any":{"a\u0000":1}})"), ElementsAre("/any format"));
  EXPECT_THAT(faults_in<Optional>(R"({"any":{"a":1e309}})"), ElementsAre("/any range"));
  EXPECT_THAT(faults_in<Optional>(R"({"any":{"a":[1e99999999999]}})"), ElementsAre("/any range"));
  EXPECT_THAT(faults_in<Optional>(R"({"any":{"a":1)" + std::string(400, '0') + "}}"), ElementsAre("/any range"));
  const std::string longest(64 - 8, 'x');
  EXPECT_TRUE(wire::read<Sample>(R"({"user_id":"a","inners":[],"metadata":{ "k" : ")" + longest + "\"}}"));
  EXPECT_THAT(faults_in<Sample>(R"({"user_id":"a","inners":[],"metadata":{"k":"x)" + longest + "\"}}"),
              ElementsAre("/metadata length"));
}

struct Shared {
  Uuid call_id;
  std::optional<std::string> note;
  static constexpr auto fields() {
    return std::tuple{wire::field("call_id", &Shared::call_id),
                      wire::field("note", &Shared::note, {.omit_null = true})};
  }
};

struct Extended : Shared {
  using Base = Shared;
  Timestamp at{};
  std::optional<int> count;
  std::vector<std::string> names;
  wire::JsonObject metadata{"{}"};
  bool flag = false;
  std::int64_t big = 0;
  static constexpr auto fields() {
    return std::tuple{wire::field("at", &Extended::at),       wire::field("count", &Extended::count),
                      wire::field("names", &Extended::names), wire::field("metadata", &Extended::metadata),
                      wire::field("flag", &Extended::flag),   wire::field("big", &Extended::big)};
  }
};

TEST(WireWrite, WritesTheMembersOfTheBaseFirst) {
  Extended value;
  value.metadata.text = R"({"a": 1.0})";
  value.names = {"x", "y"};
  value.big = INT64_MIN;
  EXPECT_EQ(wire::write(value),
            R"({"call_id":"00000000-0000-0000-0000-000000000000","at":"1970-01-01T00:00:00.000Z","count":null,)"
            R"("names":["x","y"],"metadata":{"a": 1.0},"flag":false,"big":-9223372036854775808})");
  value.note = "n";
  EXPECT_THAT(wire::write(value), HasSubstr(R"("note":"n")"));
}

TEST(WireWrite, AStructWithNothingToSayIsAnEmptyObject) {
  struct Quiet {
    std::optional<int> a;
    static constexpr auto fields() { return std::tuple{wire::field("a", &Quiet::a, {.omit_null = true})}; }
  };
  EXPECT_EQ(wire::write(Quiet{}), "{}");
}

TEST(WireWrite, EscapesWhatCouldBreakALine) {
  EXPECT_EQ(wire::quote("a\"\\\n\x01\x7F\xC2\x85\xE2\x80\xA8\xC3\xA9\xFFz\xE2\x82"),
            "\"a\\\"\\\\\\n\\u0001\\u007f\\u0085\\u2028\xC3\xA9\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(WireWrite, KeysAreWrittenWholeHoweverLongTheTextGets) {
  std::string text;
  std::string expected;
  for (int i = 0; i < 5'000; ++i) {
    wire::append_key(text, "call_id");
    expected += "\"call_id\":";
    ASSERT_EQ(text, expected);
  }
}

// Long texts are looked at several characters at once: whatever has to be escaped is found at each place among them.
TEST(WireWrite, EscapesEveryCharacterAtEveryPlace) {
  for (int c = 0; c < 256; ++c) {
    const std::string alone = wire::quote(std::string(1, static_cast<char>(c)));
    const bool plain = c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
    ASSERT_EQ(alone.size() == 3 && alone[1] == static_cast<char>(c), plain) << c;
    for (std::size_t place = 0; place < 20; ++place) {
      std::string text(20, 'x');
      text[place] = static_cast<char>(c);
      const std::string expected =
          "\"" + std::string(place, 'x') + alone.substr(1, alone.size() - 2) + std::string(19 - place, 'x') + "\"";
      ASSERT_EQ(wire::quote(text), expected) << c << " at " << place;
    }
  }
}

TEST(Wire, AnyTextSurvivesTheRoundTrip) {
  std::mt19937 random(5);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int i = 0; i < 10'000; ++i) {
    std::string text(static_cast<std::size_t>(byte(random) % 20), '\0');
    for (char& c : text) c = static_cast<char>(i % 2 == 0 ? byte(random) % 128 : byte(random));
    const auto read = wire::read<Optional>(wire::write(Optional{.name = text, .any = {}, .number = i}));
    ASSERT_TRUE(read);
    if (i % 2 == 0) EXPECT_EQ(read->name, text);
    EXPECT_EQ(read->number, i);
  }
}

TEST(Wire, DamagedTextIsReadWithoutAccident) {
  const std::string whole =
      R"({"user_id":"a","metadata":{"a":[1.5,"\ud83d\ude00"]},"inners":[{"label":"x","weight":1e2}],"user_ids":["b"]})";
  std::mt19937 random(3);
  std::uniform_int_distribution<std::size_t> position(0, whole.size() - 1);
  const std::string interesting = "{}[]\",:\\u0e-1.\xFF\x01 ";
  for (int i = 0; i < 20'000; ++i) {
    std::string text = whole;
    for (int hits = i % 4; hits >= 0; --hits) text[position(random)] = interesting[random() % interesting.size()];
    const auto result = wire::read<Sample>(text.substr(0, position(random) + 40));
    if (!result) EXPECT_FALSE(result.error().detail.empty());
  }
}

}  // namespace
}  // namespace call_service
