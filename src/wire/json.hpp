#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"

// A parsed JSON text, strictly: UTF-8 without a byte order mark, no duplicate keys, no lone surrogates, no depth beyond
// 32, nothing after the value. The parser itself (Boost.JSON) is not seen from here.
namespace call_service::wire {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

class JsonDocument;
class JsonBuilder;

// One value in a document; valid as long as the document stays where it is.
class JsonView {
 public:
  JsonKind kind() const;
  bool is_null() const { return kind() == JsonKind::null; }

  // Of a string its characters, of a number its digits as sent.
  std::string_view text() const;
  bool boolean() const;

  // Of a number without a fractional part (3, 3.0, 3e2) its value, if 64 bits hold it.
  std::optional<std::int64_t> integer() const;
  bool is_whole() const;  // has no fractional part
  double number() const;  // nearest double; infinite beyond a double's range

  // Of an array its elements, of an object its members, in the order sent.
  std::size_t size() const;

  // Calls visit(JsonView) for each element of an array.
  template <typename Visit>
  void for_each_element(Visit visit) const;

  // Calls visit(std::string_view key, JsonView value) for each member of an object.
  template <typename Visit>
  void for_each_member(Visit visit) const;

  std::optional<JsonView> find(std::string_view key) const;

  // Appends the value as compact JSON, equal to what was sent: numbers keep their digits, members their order, and
  // only what must be escaped is.
  void append_to(std::string& out) const;

 private:
  friend class JsonDocument;
  friend class JsonBuilder;
  JsonView(const JsonDocument* document, std::uint32_t index) : document_(document), index_(index) {}

  JsonView child(std::uint32_t index) const { return {document_, index}; }
  std::uint32_t after() const;  // the index behind this value and all within it

  const JsonDocument* document_;
  std::uint32_t index_;
};

class JsonDocument {
 public:
  static constexpr std::size_t max_depth = 32;

  // malformed_json with the place of the fault.
  static Result<JsonDocument> parse(std::string_view text);

  JsonView root() const { return {this, 0}; }

 private:
  friend class JsonView;
  friend class JsonBuilder;

  static Result<JsonDocument> parse_utf8(std::string_view text);

  // A value in document order; a key is a string in front of its value.
  struct Node {
    JsonKind kind = JsonKind::null;
    bool truth = false;
    std::uint32_t after = 0;
    std::uint32_t begin = 0;  // of its text in characters_; of a container the number of children
    std::uint32_t size = 0;
  };

  std::vector<Node> nodes_;
  std::string characters_;
};

template <typename Visit>
void JsonView::for_each_element(Visit visit) const {
  for (std::uint32_t at = index_ + 1; at < after(); at = child(at).after()) visit(child(at));
}

template <typename Visit>
void JsonView::for_each_member(Visit visit) const {
  for (std::uint32_t at = index_ + 1; at < after(); at = child(at + 1).after()) visit(child(at).text(), child(at + 1));
}

}  // namespace call_service::wire
