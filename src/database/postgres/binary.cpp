#include "database/postgres/binary.hpp"

#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace call_service::db::postgres {

namespace {

// PostgreSQL counts microseconds from 2000-01-01.
constexpr std::int64_t epoch_seconds = 946'684'800;

struct Oids {
  std::uint32_t element;
  std::uint32_t array;
};

Oids oids_of(Type type) {
  switch (type) {
    case Type::uuid:
      return {2950, 2951};
    case Type::text:
      return {25, 1009};
    case Type::timestamp:
      return {1184, 1185};
    case Type::integer:
      return {20, 1016};
    case Type::boolean:
      return {16, 1000};
    case Type::json:
      return {114, 199};
  }
  std::unreachable();
}

template <typename Integer>
void append(std::string& out, Integer value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

std::int64_t read_int64(std::string_view bytes) {
  if (bytes.size() != 8) throw std::runtime_error("unexpected length of a value from PostgreSQL");
  std::int64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

std::int64_t to_micros(Timestamp at) {
  return (at.time_since_epoch().count() - epoch_seconds * 1000) * 1000;
}

Timestamp from_micros(std::int64_t micros) {
  const std::chrono::microseconds since_unix{micros + epoch_seconds * 1'000'000};
  return Timestamp(std::chrono::floor<std::chrono::milliseconds>(since_unix));
}

struct ElementEncoder {
  std::string& out;

  void operator()(std::monostate) const { append(out, std::int32_t{-1}); }
  void operator()(const Uuid& id) const {
    append(out, std::int32_t{16});
    out.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  }
  void operator()(const std::string& text) const {
    append(out, static_cast<std::int32_t>(text.size()));
    out += text;
  }
  void operator()(Timestamp at) const {
    append(out, std::int32_t{8});
    append(out, to_micros(at));
  }
  void operator()(std::int64_t number) const {
    append(out, std::int32_t{8});
    append(out, number);
  }
  void operator()(bool flag) const {
    append(out, std::int32_t{1});
    out += flag ? '\1' : '\0';
  }
};

}  // namespace

std::uint32_t array_oid(Type type) {
  return oids_of(type).array;
}

void append_array(std::string& out, Type type, std::span<const Row* const> rows, std::size_t index) {
  append(out, std::int32_t{1});  // dimensions
  append(out, std::int32_t{1});  // may contain NULL
  append(out, oids_of(type).element);
  append(out, static_cast<std::int32_t>(rows.size()));
  append(out, std::int32_t{1});  // lower bound
  for (const Row* row : rows) std::visit(ElementEncoder{out}, (*row)[index]);
}

Value decode(Type type, std::string_view bytes) {
  switch (type) {
    case Type::uuid: {
      Uuid id;
      if (bytes.size() != id.bytes.size()) throw std::runtime_error("unexpected length of a uuid from PostgreSQL");
      std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
      return id;
    }
    case Type::text:
    case Type::json:
      return std::string(bytes);
    case Type::timestamp:
      return from_micros(read_int64(bytes));
    case Type::integer:
      return read_int64(bytes);
    case Type::boolean:
      if (bytes.size() != 1) throw std::runtime_error("unexpected length of a boolean from PostgreSQL");
      return bytes.front() != '\0';
  }
  std::unreachable();
}

}  // namespace call_service::db::postgres
