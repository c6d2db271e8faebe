#include "schemas/text_rules.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/text.hpp"

namespace call_service {
namespace {

using namespace std::string_literals;
using schemas::check_display_name;
using schemas::check_user_id;
using schemas::is_user_id;

std::string repeat(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::string_view code_of(std::optional<wire::TextFault> fault) {
  return fault ? fault->code : "none";
}

TEST(TextRules, UserIdsAreAnyTextWithoutSurprises) {
  for (const std::string& id : {"a"s, "user/1"s, "..."s, "a b"s, "%"s, "\xC3\xA9"s, "\xF0\x9F\x98\x80"s,
                                repeat("a", 128), repeat("\xF0\x9F\x98\x80", 128)}) {
    EXPECT_TRUE(is_user_id(id)) << id;
  }
}

TEST(TextRules, UserIdsOfTheWrongLength) {
  EXPECT_EQ(code_of(check_user_id("")), "length");
  EXPECT_EQ(code_of(check_user_id(repeat("a", 129))), "length");
  EXPECT_EQ(code_of(check_user_id(repeat("\xC3\xA9", 129))), "length");
}

TEST(TextRules, UserIdsOfTheWrongForm) {
  for (const std::string& id :
       {"."s, ".."s, " a"s, "a "s, "\ta"s, "a\n"s, "a\0b"s, "a\x7F"s, "a\xC2\x80z"s, "a\xC2\x9Fz"s, "\xC2\xA0z"s,
        "a\xE3\x80\x80"s, "\xE2\x80\x83z"s, "a\xE1\x9A\x80"s, "\xFF"s, "a\xC3"s, "\xC0\x80"s, "\xED\xA0\x80"s}) {
    EXPECT_EQ(code_of(check_user_id(id)), "format") << id;
    EXPECT_FALSE(is_user_id(id)) << id;
  }
}

TEST(TextRules, DisplayNamesMayHaveOuterSpaceButNoControlCharacters) {
  EXPECT_FALSE(check_display_name(" Ada "));
  EXPECT_FALSE(check_display_name("."));
  EXPECT_EQ(code_of(check_display_name("")), "length");
  EXPECT_EQ(code_of(check_display_name(repeat("x", 129))), "length");
  EXPECT_EQ(code_of(check_display_name("A\nda")), "format");
}

TEST(Text, FindsTheFirstByteThatIsNotUtf8) {
  EXPECT_EQ(find_invalid_utf8("plain"), std::string_view::npos);
  EXPECT_EQ(find_invalid_utf8("0123456789\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), std::string_view::npos);
  EXPECT_EQ(find_invalid_utf8("0123456789\x80"), 10U);
  EXPECT_EQ(find_invalid_utf8("ab\xE2\x82"), 2U);
  EXPECT_EQ(find_invalid_utf8("\xF4\x90\x80\x80"), 0U);
  EXPECT_EQ(find_invalid_utf8("\xE0\x80\x80"), 0U);
  EXPECT_EQ(find_invalid_utf8("\xF0\x80\x80\x80"), 0U);
}

TEST(Text, EveryCodePointIsDecodedAsEncoded) {
  for (char32_t c = 0x80; c <= 0x10FFFF; ++c) {
    std::string text;
    if (c < 0x800) {
      text = {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
    } else if (c < 0x10000) {
      text = {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
              static_cast<char>(0x80 | (c & 0x3F))};
    } else {
      text = {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
              static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
    }
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    const CodePoint decoded = decode_front(text);
    ASSERT_EQ(decoded.size, surrogate ? 0 : text.size()) << static_cast<unsigned>(c);
    if (!surrogate) ASSERT_EQ(decoded.value, c);
  }
}

TEST(Text, AnyBytesAreLookedAtWithoutAccident) {
  std::mt19937 random(11);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(static_cast<std::size_t>(byte(random) % 12), '\0');
    for (char& c : text) c = static_cast<char>(byte(random));
    EXPECT_EQ(is_utf8(text), find_invalid_utf8(text) == std::string_view::npos);
    EXPECT_LE(count_code_points(text), text.size());
    has_control_characters(text);
    has_outer_white_space(text);
    is_user_id(text);
  }
}

}  // namespace
}  // namespace call_service
