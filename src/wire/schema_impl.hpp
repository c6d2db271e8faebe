#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "wire/schema.hpp"
#include "wire/write.hpp"

namespace call_service::wire {
namespace detail {

template <typename T>
using Tag = std::type_identity<T>;

// A schema that is not closed yet: an optional around it may make it nullable.
struct ValueSchema {
  std::string_view type{};  // "" where `pointer` says it
  std::string pointer{};
  ObjectText keywords{};
  bool nullable = false;

  // With the member's own description and example.
  std::string str(const Rules& rules) const;
};

ValueSchema schema_of(Tag<std::string>, const Rules& rules, Schemas&, SchemaUse);
ValueSchema schema_of(Tag<bool>, const Rules& rules, Schemas&, SchemaUse);
ValueSchema schema_of(Tag<int>, const Rules& rules, Schemas&, SchemaUse);
ValueSchema schema_of(Tag<std::int64_t>, const Rules& rules, Schemas&, SchemaUse);
ValueSchema schema_of(Tag<Uuid>, const Rules& rules, Schemas&, SchemaUse);
ValueSchema schema_of(Tag<Timestamp>, const Rules& rules, Schemas&, SchemaUse);
ValueSchema schema_of(Tag<JsonObject>, const Rules& rules, Schemas&, SchemaUse);
template <Described T>
ValueSchema schema_of(Tag<T>, const Rules&, Schemas& schemas, SchemaUse use) {
  return {.pointer = schemas.pointer<T>(use)};
}
template <typename T>
ValueSchema schema_of(Tag<std::vector<T>>, const Rules& rules, Schemas& schemas, SchemaUse use);
template <typename T>
ValueSchema schema_of(Tag<std::optional<T>>, const Rules& rules, Schemas& schemas, SchemaUse use);

ValueSchema list_schema(const std::string& items, const Rules& rules);

// What the rules of a list say of its elements.
Rules element_rules(const Rules& rules);

template <typename T>
ValueSchema schema_of(Tag<std::vector<T>>, const Rules& rules, Schemas& schemas, SchemaUse use) {
  const Rules of_elements = element_rules(rules);
  return list_schema(schema_of(Tag<T>{}, of_elements, schemas, use).str(of_elements), rules);
}

template <typename T>
ValueSchema schema_of(Tag<std::optional<T>>, const Rules& rules, Schemas& schemas, SchemaUse use) {
  ValueSchema schema = schema_of(Tag<T>{}, rules, schemas, use);
  schema.nullable = use == SchemaUse::request || !rules.omit_null;
  return schema;
}

std::string plain_example(Tag<std::string>, const Rules& rules);
std::string plain_example(Tag<bool>, const Rules& rules);
std::string plain_example(Tag<int>, const Rules& rules);
std::string plain_example(Tag<std::int64_t>, const Rules& rules);
std::string plain_example(Tag<Uuid>, const Rules& rules);
std::string plain_example(Tag<Timestamp>, const Rules& rules);
std::string plain_example(Tag<JsonObject>, const Rules& rules);
template <Described T>
std::string plain_example(Tag<T>, const Rules&) {
  return example_of<T>();
}
template <typename T>
std::string plain_example(Tag<std::vector<T>>, const Rules& rules) {
  return ArrayText().json(member_example<T>(element_rules(rules))).str();
}
template <typename T>
std::string plain_example(Tag<std::optional<T>>, const Rules& rules) {
  return rules.omit_null ? std::string() : "null";
}

template <typename Struct, typename Member>
std::string schema_of_field(const FieldOf<Struct, Member>& field, Schemas& schemas, SchemaUse use) {
  return schema_of(Tag<Member>{}, field.rules, schemas, use).str(field.rules);
}

// A request must have what is not optional; a response has all but what it leaves out when it is null.
template <typename Struct, typename Member>
bool is_always_there(const FieldOf<Struct, Member>& field, SchemaUse use) {
  constexpr bool optional = requires(Member member) { member.has_value(); };
  return !optional || (use == SchemaUse::response && !field.rules.omit_null);
}

template <typename Struct, typename Member>
void add_example(ObjectText& object, const FieldOf<Struct, Member>& field) {
  const std::string example = member_example<Member>(field.rules);
  if (!example.empty()) object.json(field.name, example);
}

template <Described T>
std::string struct_schema(Schemas& schemas, SchemaUse use) {
  ObjectText properties;
  ArrayText required;
  const auto add = [&](const auto& field) {
    properties.json(field.name, schema_of_field(field, schemas, use));
    if (is_always_there(field, use)) required.text(field.name);
  };
  std::apply([&](const auto&... fields) { (add(fields), ...); }, all_fields<T>());
  ObjectText schema;
  schema.text("type", "object");
  if constexpr (requires { T::schema_description; }) schema.text("description", T::schema_description);
  schema.json("properties", properties.str());
  if (!required.empty()) schema.json("required", required.str());
  if (use == SchemaUse::request) schema.flag("additionalProperties", false);
  return schema.str();
}

}  // namespace detail

template <Described T>
std::string Schemas::pointer(SchemaUse use) {
  if (known_.insert(T::schema_name).second) all_.json(T::schema_name, detail::struct_schema<T>(*this, use));
  return "#/components/schemas/" + std::string(T::schema_name);
}

template <typename Value>
std::string member_schema(Schemas& schemas, const Rules& rules, SchemaUse use, std::string_view fallback) {
  auto schema = detail::schema_of(detail::Tag<Value>{}, rules, schemas, use);
  if (!fallback.empty()) schema.keywords.json("default", fallback);
  return schema.str(rules);
}

template <typename Value>
std::string value_text(const Value& value) {
  std::string text;
  detail::append_value(text, value);
  return text;
}

template <typename Value>
std::string member_example(const Rules& rules) {
  return rules.example.empty() ? detail::plain_example(detail::Tag<Value>{}, rules) : std::string(rules.example);
}

template <Described T>
std::string example_of() {
  if constexpr (requires { T::schema_example; }) {
    return std::string(T::schema_example);
  } else {
    ObjectText object;
    std::apply([&](const auto&... fields) { (detail::add_example(object, fields), ...); }, all_fields<T>());
    return object.str();
  }
}

}  // namespace call_service::wire
