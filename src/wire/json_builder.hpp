#pragma once

#include <algorithm>
#include <boost/json/basic_parser.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.hpp"

namespace call_service::wire {

// Receives the events of Boost.JSON's parser and lays the document out; refuses duplicate keys. Included
// by json.cpp and json_builder.cpp only.
class JsonBuilder {
 public:
  using ErrorCode = boost::json::error_code;
  using Text = boost::json::string_view;

  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  // Of a text of this many bytes.
  explicit JsonBuilder(std::size_t size) {
    document_.nodes_.reserve(std::min<std::size_t>(size / 8, 64) + 4);
    document_.characters_.reserve(size);
  }

  JsonDocument take_document() { return std::move(document_); }

  // The key that was found twice, if that is why building stopped.
  const std::optional<std::string>& duplicate_key() const { return duplicate_key_; }

  bool on_document_begin(ErrorCode&) { return true; }
  bool on_document_end(ErrorCode&) { return true; }
  bool on_object_begin(ErrorCode&) { return open(JsonKind::object); }
  bool on_object_end(std::size_t size, ErrorCode& error);
  bool on_array_begin(ErrorCode&) { return open(JsonKind::array); }
  bool on_array_end(std::size_t, ErrorCode&) { return close(); }
  bool on_key_part(Text text, std::size_t, ErrorCode&) { return add_part(text); }
  bool on_key(Text text, std::size_t, ErrorCode&) { return add_text(JsonKind::string, text); }
  bool on_string_part(Text text, std::size_t, ErrorCode&) { return add_part(text); }
  bool on_string(Text text, std::size_t, ErrorCode&) { return add_text(JsonKind::string, text); }
  bool on_number_part(Text text, ErrorCode&) { return add_part(text); }
  bool on_int64(std::int64_t, Text text, ErrorCode&) { return add_text(JsonKind::number, text); }
  bool on_uint64(std::uint64_t, Text text, ErrorCode&) { return add_text(JsonKind::number, text); }
  bool on_double(double, Text text, ErrorCode&) { return add_text(JsonKind::number, text); }
  bool on_bool(bool truth, ErrorCode&);
  bool on_null(ErrorCode&);
  bool on_comment_part(Text, ErrorCode&) { return true; }
  bool on_comment(Text, ErrorCode&) { return true; }

 private:
  using Node = JsonDocument::Node;

  bool add(Node node);
  bool add_part(Text text);
  bool add_text(JsonKind kind, Text text);
  bool open(JsonKind kind);
  bool close();
  bool note_duplicate_key(JsonView object, std::size_t size);

  JsonDocument document_;
  std::vector<std::uint32_t> open_;  // the containers that the parser is in
  std::uint32_t text_begin_ = 0;     // where the text being read begins
  std::optional<std::string> duplicate_key_;
};

}  // namespace call_service::wire
