#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "error.hpp"

namespace call_service::api {

// Errors, as a constant of the route table.
class ErrorSet {
 public:
  constexpr ErrorSet(std::initializer_list<ErrorCode> codes = {}) {
    for (const ErrorCode code : codes) bits_ |= bit(code);
  }
  constexpr bool contains(ErrorCode code) const { return (bits_ & bit(code)) != 0; }
  constexpr ErrorSet operator|(ErrorSet other) const {
    other.bits_ |= bits_;
    return other;
  }

 private:
  static constexpr std::uint64_t bit(ErrorCode code) { return std::uint64_t{1} << static_cast<unsigned>(code); }
  std::uint64_t bits_ = 0;
};

// What the handler's types do not say about an operation: how the OpenAPI document tells it to people.
struct Operation {
  std::string_view id;   // operationId, stable: generated clients name their functions after it
  std::string_view tag;  // under which it is listed
  std::string_view summary;
  std::string_view description;        // Markdown
  std::string_view ok = "Done.";       // what 200 means
  std::string_view created = {};       // what 201 means, where it is possible; it comes with Location
  std::string_view not_ready = {};     // what a 503 with the same body means, where it is possible
  std::string_view content_type = {};  // of an answer that is not JSON by a schema
  bool hands_out_token = false;        // Cache-Control: no-store
  ErrorSet errors = {};                // besides those that access, path and body bring along
};

}  // namespace call_service::api
