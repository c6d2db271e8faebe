#include "wire/schema.hpp"

#include <algorithm>
#include <limits>
#include <ranges>

namespace call_service::wire::detail {
namespace {

ArrayText list_of(std::string_view values) {
  ArrayText list;
  for (const auto value : std::views::split(values, '|')) list.text(std::string_view(value));
  return list;
}

std::string description_of(const Rules& rules) {
  std::string text(rules.description);
  if (rules.known_values.empty()) return text;
  if (!text.empty()) text += " ";
  text += "Known values, of which there may be more one day: ";
  for (const char c : rules.known_values) {
    if (c == '|') {
      text += ", ";
    } else {
      text += c;
    }
  }
  return text + ".";
}

void add_length(ObjectText& keywords, const Rules& rules, std::string_view least, std::string_view most) {
  if (rules.min_length > 0) keywords.number(least, static_cast<std::int64_t>(rules.min_length));
  if (rules.max_length != SIZE_MAX) keywords.number(most, static_cast<std::int64_t>(rules.max_length));
}

ValueSchema whole_number(const Rules& rules, std::string_view format) {
  ValueSchema schema{.type = "integer"};
  schema.keywords.text("format", format);
  if (rules.min != INT64_MIN) schema.keywords.number("minimum", rules.min);
  if (rules.max != INT64_MAX) schema.keywords.number("maximum", rules.max);
  return schema;
}

ValueSchema formatted_text(std::string_view format) {
  ValueSchema schema{.type = "string"};
  schema.keywords.text("format", format);
  return schema;
}

void add_type(ObjectText& schema, const ValueSchema& value) {
  const bool is_reference = value.type.empty();
  if (is_reference && value.nullable) {
    const auto reference = ObjectText().text("$ref", value.pointer).str();
    schema.json("anyOf", ArrayText().json(reference).json(R"({"type":"null"})").str());
  } else if (is_reference) {
    schema.text("$ref", value.pointer);
  } else if (value.nullable) {
    schema.json("type", ArrayText().text(value.type).text("null").str());
  } else {
    schema.text("type", value.type);
  }
}

// JSON Schema's `enum` must name null, too.
void add_values(ObjectText& schema, const Rules& rules, bool nullable) {
  if (!rules.known_values.empty()) schema.json("x-known-values", list_of(rules.known_values).str());
  if (rules.values.empty()) return;
  ArrayText values = list_of(rules.values);
  if (nullable) values.json("null");
  schema.json("enum", values.str());
}

}  // namespace

std::string ValueSchema::str(const Rules& rules) const {
  ObjectText schema;
  add_type(schema, *this);
  schema.take_over(keywords);
  if (type == "string") add_values(schema, rules, nullable);
  if (const std::string description = description_of(rules); !description.empty()) {
    schema.text("description", description);
  }
  if (!rules.example.empty()) schema.json("examples", ArrayText().json(rules.example).str());
  return schema.str();
}

ValueSchema schema_of(Tag<std::string>, const Rules& rules, Schemas&, SchemaUse) {
  ValueSchema schema{.type = "string"};
  if (!rules.format.empty()) schema.keywords.text("format", rules.format);
  add_length(schema.keywords, rules, "minLength", "maxLength");
  if (!rules.pattern.empty()) schema.keywords.text("pattern", rules.pattern);
  return schema;
}

ValueSchema schema_of(Tag<bool>, const Rules&, Schemas&, SchemaUse) {
  return {.type = "boolean"};
}

ValueSchema schema_of(Tag<int>, const Rules& rules, Schemas&, SchemaUse) {
  return whole_number(rules, "int32");
}

ValueSchema schema_of(Tag<std::int64_t>, const Rules& rules, Schemas&, SchemaUse) {
  return whole_number(rules, "int64");
}

ValueSchema schema_of(Tag<Uuid>, const Rules&, Schemas&, SchemaUse) {
  return formatted_text("uuid");
}

ValueSchema schema_of(Tag<Timestamp>, const Rules&, Schemas&, SchemaUse) {
  return formatted_text("date-time");
}

// The length of an object is that of its text, for which JSON Schema has no word; the description tells it.
ValueSchema schema_of(Tag<JsonObject>, const Rules&, Schemas&, SchemaUse) {
  ValueSchema schema{.type = "object"};
  schema.keywords.flag("additionalProperties", true);
  return schema;
}

ValueSchema list_schema(const std::string& items, const Rules& rules) {
  ValueSchema schema{.type = "array"};
  schema.keywords.json("items", items);
  add_length(schema.keywords, rules, "minItems", "maxItems");
  return schema;
}

Rules element_rules(const Rules& rules) {
  return {.max_length = rules.max_item_length, .min = rules.min, .max = rules.max, .pattern = rules.pattern};
}

std::string plain_example(Tag<std::string>, const Rules& rules) {
  const auto values = rules.values.empty() ? rules.known_values : rules.values;
  return quote(values.substr(0, values.find('|')));
}

std::string plain_example(Tag<bool>, const Rules&) {
  return "true";
}

std::string plain_example(Tag<int>, const Rules& rules) {
  return plain_example(Tag<std::int64_t>{}, rules);
}

std::string plain_example(Tag<std::int64_t>, const Rules& rules) {
  return std::to_string(std::clamp<std::int64_t>(1, rules.min, rules.max));
}

std::string plain_example(Tag<Uuid>, const Rules&) {
  return R"("0193558e-6c3f-7d0a-9a4e-2f6b1c8d5e70")";
}

std::string plain_example(Tag<Timestamp>, const Rules&) {
  return R"("2026-11-22T15:39:21.123Z")";
}

std::string plain_example(Tag<JsonObject>, const Rules&) {
  return "{}";
}

}  // namespace call_service::wire::detail
