#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/time.hpp"
#include "base/uuid.hpp"

// One declaration per wire type. A plain struct with a table of its members,
//
//   struct JoinCallRequest {
//     std::optional<std::string> name;
//     static constexpr std::string_view schema_name = "JoinCallRequest";
//     static constexpr auto fields() { return std::tuple{wire::field("name", &JoinCallRequest::name, display_name)}; }
//   };
//
// gives reading with every fault at once (wire/read.hpp; as parameters of a query: wire/parameters.hpp), writing
// (wire/write.hpp) and its JSON Schema (wire/schema.hpp).
namespace call_service::wire {

// A JSON object kept as the text it came in, for values that the service stores and returns without looking inside.
struct JsonObject {
  std::string text;  // valid JSON, an object
  bool operator==(const JsonObject&) const = default;
};

// What is wrong with a text, or nothing.
struct TextFault {
  std::string_view code;
  std::string_view detail;
};
using TextCheck = std::optional<TextFault> (*)(std::string_view);

// The rules of a member. Lengths count characters (code points) of text and elements of lists.
struct Rules {
  std::size_t min_length = 0;
  std::size_t max_length = SIZE_MAX;
  std::int64_t min = INT64_MIN;
  std::int64_t max = INT64_MAX;
  TextCheck check = nullptr;               // of a text, or of each text in a list; run when the length is right
  std::size_t max_item_length = SIZE_MAX;  // of each text in a list
  std::string_view pattern = {};           // the JSON Schema form of `check`; without lookbehind and \p
  std::string_view format = {};            // of a text: JSON Schema's `format`
  std::string_view description = {};       // one or two sentences, Markdown
  std::string_view example = {};           // JSON text
  std::string_view known_values = {};      // of an open enum, separated by '|': documented, not enforced
  std::string_view values = {};            // of a closed set, separated by '|': anything else is the fault `enum`
  bool omit_null = false;                  // writing: leave an empty optional out instead of writing null
};

template <typename Struct, typename Member>
struct FieldOf {
  std::string_view name;
  Member Struct::* member;
  Rules rules;
};

// A member of type std::optional<…> may be absent or null, and then keeps its initializer, the default; any other is
// required.
template <typename Struct, typename Member>
constexpr FieldOf<Struct, Member> field(std::string_view name, Member Struct::* member, Rules rules = {}) {
  return {name, member, rules};
}

template <typename T>
concept Described = requires { T::fields(); };

// A struct may name a base whose members come first: `using Base = CallMembers;`.
template <typename T>
concept DescribedWithBase = Described<T> && requires { typename T::Base; };

}  // namespace call_service::wire
