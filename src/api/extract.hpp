#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/context.hpp"
#include "api/cursor.hpp"
#include "base/ranges.hpp"
#include "base/uuid.hpp"
#include "error.hpp"
#include "schemas/text_rules.hpp"
#include "wire/parameters.hpp"
#include "wire/read.hpp"

// A handler's parameter types say what it needs of a request; each has an Extract<T> that takes it from there. All
// faults of all parameters are reported together.
namespace call_service::api {

// {call_id} of the path.
struct CallId {
  Uuid value;
};

// {user_id} of the path.
struct UserId {
  std::string value;
};

// {file} of the path.
struct FileName {
  std::string value;
};

// The JSON body.
template <typename T>
struct Body {
  T value;
};

// The parameters of the query (schemas/queries.hpp), with what a page of a list needs where T is one of a list.
template <typename T>
struct Query {
  T value{};
  ListId list{};
  std::optional<Position> after{};  // the page begins behind it

  int limit() const { return *value.limit; }
  // For the page after this one; `last`: the last row's place.
  std::string next_cursor(const Position& last) const { return encode_cursor(list, last); }
};

template <typename T>
concept ListQuery = requires(T query) {
  query.limit;
  query.cursor;
};

// What is wrong with a request's content, gathered from all its parts.
class Faults {
 public:
  void add(Fault fault) { faults_.push_back(std::move(fault)); }

  // Takes over an error of reading: faults are gathered, anything else (malformed JSON) comes before them all.
  void add(Error error) {
    if (error.code == ErrorCode::validation_failed) {
      append(faults_, std::move(error.faults));
    } else if (!first_) {
      first_ = std::move(error);
    }
  }

  std::optional<Error> error() && {
    if (first_) return std::move(first_);
    if (faults_.empty()) return std::nullopt;
    return Error{.code = ErrorCode::validation_failed,
                 .detail = "The request's content is not valid.",
                 .faults = std::move(faults_),
                 .cause = {}};
  }

 private:
  std::vector<Fault> faults_;
  std::optional<Error> first_;
};

template <typename T>
struct Extract;

template <>
struct Extract<services::Caller> {
  static services::Caller from(Context& context, Faults&) { return *context.caller; }
};

template <>
struct Extract<CallId> {
  static CallId from(Context& context, Faults& faults);
};

template <>
struct Extract<UserId> {
  static UserId from(Context& context, Faults& faults);
};

template <>
struct Extract<FileName> {
  static FileName from(Context& context, Faults& faults);
};

// The optional members that T::required_of_services asks for when the caller is a service.
template <typename T>
std::span<const std::string_view> also_required(const Context& context) {
  if constexpr (requires { T::required_of_services; }) {
    if (context.caller && context.caller->is_service()) return T::required_of_services;
  }
  return {};
}

template <typename T>
struct Extract<Body<T>> {
  static Body<T> from(Context& context, Faults& faults) {
    auto read = wire::read<T>(context.request.body, also_required<T>(context));
    if (read) return {std::move(*read)};
    faults.add(std::move(read.error()));
    return {};
  }
};

// The call in the path; nullopt if there is none, or no UUID, which Extract<CallId> tells.
std::optional<Uuid> call_in_path(const Context& context);

template <typename T>
struct Extract<Query<T>> {
  static Query<T> from(Context& context, Faults& faults) {
    std::vector<Fault> found;
    Query<T> query{.value = wire::read_parameters<T>(context.query_parameters, found)};
    for (auto& fault : found) faults.add(std::move(fault));
    if constexpr (ListQuery<T>) {
      query.list = list_id(query.value, call_in_path(context));
      if (query.value.cursor) {
        auto after = decode_cursor(*query.value.cursor, query.list);
        if (after) query.after = *after;
        if (!after) faults.add(std::move(after.error()));
      }
    }
    return query;
  }
};

// What the log's lines of this request have in common.
template <>
struct Extract<log::Origin> {
  static log::Origin from(Context& context, Faults&) { return context.origin; }
};

// The request itself, for what has no schema.
template <>
struct Extract<http::Request*> {
  static http::Request* from(Context& context, Faults&) { return &context.request; }
};

}  // namespace call_service::api
