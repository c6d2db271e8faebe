#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

#include "database/postgres/binary.hpp"

namespace call_service::db::postgres {
namespace {

using std::string_literals::operator""s;

// The elements of a one-dimensional array, decoded one by one.
std::vector<Value> decode_array(Type type, std::string_view bytes) {
  const auto word = [&] {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    bytes.remove_prefix(4);
    return value;
  };
  EXPECT_EQ(word(), 1u) << "dimensions";
  EXPECT_EQ(word(), 1u) << "may contain NULL";
  word();
  const std::uint32_t count = word();
  EXPECT_EQ(word(), 1u) << "lower bound";
  std::vector<Value> values;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t length = word();
    if (length == 0xffffffff) {
      values.emplace_back();
      continue;
    }
    values.push_back(decode(type, bytes.substr(0, length)));
    bytes.remove_prefix(length);
  }
  EXPECT_TRUE(bytes.empty());
  return values;
}

std::string encode_array(Type type, const Rows& rows, std::size_t index) {
  std::vector<const Row*> pointers;
  for (const auto& row : rows) pointers.push_back(&row);
  std::string bytes;
  append_array(bytes, type, pointers, index);
  return bytes;
}

void expect_round_trip(Type type, const std::vector<Value>& values) {
  Rows rows;
  for (const auto& value : values) rows.push_back({std::int64_t{7}, value});
  EXPECT_EQ(decode_array(type, encode_array(type, rows, 1)), values);
}

Timestamp at(const char* text) {
  return *parse_timestamp(text);
}

TEST(PostgresBinary, KeepsEveryValueAndNull) {
  const Uuid id = *Uuid::parse("0190a3b4-c5d6-7e8f-9012-abcdef345678");
  expect_round_trip(Type::uuid, {id, {}, Uuid{}});
  expect_round_trip(Type::text, {"ada"s, {}, ""s, "naïve 😀"s, std::string(70'000, 'x')});
  expect_round_trip(Type::json, {R"({"a":[1,null]})"s, {}, "{}"s});
  expect_round_trip(Type::boolean, {true, {}, false});
  expect_round_trip(Type::integer, {std::int64_t{0},
                                    {},
                                    std::int64_t{-1},
                                    std::numeric_limits<std::int64_t>::max(),
                                    std::numeric_limits<std::int64_t>::min()});
  expect_round_trip(Type::text, {});
}

TEST(PostgresBinary, KeepsTimesBefore2000AndFarAhead) {
  expect_round_trip(Type::timestamp, {at("2026-11-22T15:39:21.123Z"),
                                      {},
                                      at("2000-01-01T00:00:00.000Z"),
                                      at("1999-12-31T23:59:59.999Z"),
                                      at("1970-01-01T00:00:00.000Z"),
                                      at("1969-12-31T23:59:59.001Z"),
                                      at("0000-01-01T00:00:00.000Z"),
                                      at("9999-12-31T23:59:59.999Z")});
}

TEST(PostgresBinary, CutsMicrosecondsTowardsThePast) {
  const auto micros = [](std::int64_t count) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(count >> shift);
    return decode(Type::timestamp, bytes);
  };
  EXPECT_EQ(micros(1'999), Value(at("2000-01-01T00:00:00.001Z")));
  EXPECT_EQ(micros(-1), Value(at("1999-12-31T23:59:59.999Z")));
  EXPECT_EQ(micros(-946'684'800'000'001), Value(at("1969-12-31T23:59:59.999Z")));
}

TEST(PostgresBinary, WritesTheBytesOfArrayRecv) {
  const Rows rows{{at("2000-01-01T00:00:01.000Z")}, {Value{}}, {at("1999-12-31T23:59:59.999Z")}};
  const std::string expected =
      "\0\0\0\1"
      "\0\0\0\1"
      "\0\0\x04\xa0"  // timestamptz: 1184
      "\0\0\0\3"
      "\0\0\0\1"
      "\0\0\0\x08\0\0\0\0\0\x0f\x42\x40"
      "\xff\xff\xff\xff"
      "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xfc\x18"s;
  EXPECT_EQ(encode_array(Type::timestamp, rows, 0), expected);
  EXPECT_EQ(encode_array(Type::boolean, {{true}, {false}}, 0),
            "\0\0\0\1\0\0\0\1\0\0\0\x10\0\0\0\2\0\0\0\1\0\0\0\1\1\0\0\0\1\0"s);
  EXPECT_EQ(encode_array(Type::text, {{"ab"s}}, 0), "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\1\0\0\0\1\0\0\0\2ab"s);
}

// The catalog's numbers of uuid[], text[], timestamptz[], int8[], bool[], json[] (pg_type.dat).
TEST(PostgresBinary, NamesTheArrayTypes) {
  EXPECT_EQ(array_oid(Type::uuid), 2951u);
  EXPECT_EQ(array_oid(Type::text), 1009u);
  EXPECT_EQ(array_oid(Type::timestamp), 1185u);
  EXPECT_EQ(array_oid(Type::integer), 1016u);
  EXPECT_EQ(array_oid(Type::boolean), 1000u);
  EXPECT_EQ(array_oid(Type::json), 199u);
}

TEST(PostgresBinary, RefusesValuesOfAnotherLength) {
  for (const std::size_t length : {0u, 4u, 7u, 9u, 17u}) {
    const std::string bytes(length, '\0');
    for (const Type type : {Type::uuid, Type::timestamp, Type::integer, Type::boolean}) {
      EXPECT_THROW(decode(type, bytes), std::runtime_error) << length;
    }
  }
}

}  // namespace
}  // namespace call_service::db::postgres
