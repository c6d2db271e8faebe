#pragma once

#include <set>
#include <string>
#include <string_view>

#include "wire/field.hpp"
#include "wire/object_text.hpp"

// The JSON Schema (2020-12) of described structs, from the same tables that read and write them.
namespace call_service::wire {

// Requests refuse members that they do not know, and null is as good as absent. Responses may gain members, and write
// all that they have.
enum class SchemaUse { request, response };

// Schemas by their `schema_name`, each once, and all that they refer to.
class Schemas {
 public:
  // "#/components/schemas/…" of T, which is added if it is not there yet.
  template <Described T>
  std::string pointer(SchemaUse use);

  // {"$ref": …} to it.
  template <Described T>
  std::string reference(SchemaUse use) {
    return ObjectText().text("$ref", pointer<T>(use)).str();
  }

  // {"Call": {…}, …}: in the order in which they were complete, so what is referred to comes first.
  std::string str() const { return all_.str(); }

 private:
  ObjectText all_;
  std::set<std::string_view> known_;
};

// The schema of one member or parameter; std::optional means that it may be null. `fallback`: the value that is taken
// where none is given, JSON text.
template <typename Value>
std::string member_schema(Schemas& schemas, const Rules& rules, SchemaUse use, std::string_view fallback = {});

// A value as JSON text.
template <typename Value>
std::string value_text(const Value& value);

// A value of T as JSON text: T::schema_example if it has one, else of each member its example, or the plainest value.
template <Described T>
std::string example_of();

// An example of one member or parameter; empty where it is best left out.
template <typename Value>
std::string member_example(const Rules& rules);

}  // namespace call_service::wire

#include "wire/schema_impl.hpp"
