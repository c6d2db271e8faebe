#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <type_traits>

#include "api/extract.hpp"
#include "wire/schema.hpp"

// What a handler's types say about its operation, for the OpenAPI document: each parameter type of a handler that
// Extract<T> knows is described here by Describe<T>.
namespace call_service::api {

// A body, or what a response carries. Both are JSON text.
struct ContentType {
  std::string schema;
  std::string example;
};

struct HandlerTypes {
  wire::Schemas& schemas;
  wire::ArrayText parameters{};  // OpenAPI's parameter objects
  bool has_parameters = false;
  std::optional<ContentType> body{};
  bool body_required = false;
  std::optional<ContentType> response{};

  void add_parameter(std::string_view name, std::string_view place, bool required, const std::string& schema,
                     const wire::Rules& rules);
};

// A parameter tells its description and example itself, not by its schema. `fallback`: its default, JSON text.
template <typename Value>
std::string parameter_schema(HandlerTypes& types, wire::Rules rules, std::string_view fallback = {}) {
  rules.description = rules.example = {};
  return wire::member_schema<Value>(types.schemas, rules, wire::SchemaUse::request, fallback);
}

// By default a parameter says nothing about the request: the services, the caller.
template <typename T>
struct Describe {
  static void add_to(HandlerTypes&) {}
};

template <>
struct Describe<CallId> {
  static void add_to(HandlerTypes& types);
};

template <>
struct Describe<UserId> {
  static void add_to(HandlerTypes& types);
};

template <typename T>
struct Describe<Body<T>> {
  static void add_to(HandlerTypes& types) {
    types.body = {.schema = types.schemas.reference<T>(wire::SchemaUse::request), .example = wire::example_of<T>()};
    types.body_required = std::apply(
        [](const auto&... fields) { return (wire::detail::is_always_there(fields, wire::SchemaUse::request) || ...); },
        wire::all_fields<T>());
  }
};

// Parameters of the query have no null, and an initializer is a default.
template <typename T, typename Member>
void add_query_parameter(HandlerTypes& types, const wire::FieldOf<T, std::optional<Member>>& field) {
  const auto& initial = T{}.*(field.member);
  types.add_parameter(field.name, "query", false,
                      parameter_schema<Member>(types, field.rules, initial ? wire::value_text(*initial) : ""),
                      field.rules);
}

template <typename T>
struct Describe<Query<T>> {
  static void add_to(HandlerTypes& types) {
    std::apply([&](const auto&... fields) { (add_query_parameter<T>(types, fields), ...); }, wire::all_fields<T>());
  }
};

template <typename T>
void describe_response(HandlerTypes& types) {
  types.response = {.schema = types.schemas.reference<T>(wire::SchemaUse::response), .example = wire::example_of<T>()};
}

}  // namespace call_service::api
