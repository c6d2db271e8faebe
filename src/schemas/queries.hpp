#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/time.hpp"
#include "schemas/text_rules.hpp"
#include "wire/field.hpp"

// The parameters of queries. An initializer is the parameter's default.
namespace call_service::schemas {

inline constexpr wire::Rules page_limit{.min = 1, .max = 200, .description = "How many at most.", .example = "50"};
inline constexpr wire::Rules page_cursor{
    .description = "`next_cursor` of the page before; the filters must be the same, the limit may differ."};

struct ListCallsQuery {
  std::optional<std::string> status{};
  std::optional<std::string> caller_id{};
  std::optional<std::string> user_id{};
  std::optional<Timestamp> started_after{};
  std::optional<Timestamp> started_before{};
  std::optional<int> limit = 50;
  std::optional<std::string> cursor{};

  static constexpr std::string_view schema_name = "ListCallsQuery";
  static constexpr auto fields() {
    wire::Rules caller = schemas::user_id;
    caller.description = "Only calls that this user started.";
    wire::Rules user = schemas::user_id;
    user.description = "Only calls that this user started, has a session in, or is listed in.";
    return std::tuple{
        wire::field("status", &ListCallsQuery::status,
                    {.description = "Only calls of this status.", .values = "active|ended"}),
        wire::field("caller_id", &ListCallsQuery::caller_id, caller),
        wire::field("user_id", &ListCallsQuery::user_id, user),
        wire::field("started_after", &ListCallsQuery::started_after,
                    {.description = "Only calls that started later than this, RFC 3339 with any offset.",
                     .example = "\"2026-11-22T15:39:21.123Z\""}),
        wire::field("started_before", &ListCallsQuery::started_before,
                    {.description = "Only calls that started earlier than this, RFC 3339 with any offset.",
                     .example = "\"2026-11-23T15:39:21.123Z\""}),
        wire::field("limit", &ListCallsQuery::limit, page_limit),
        wire::field("cursor", &ListCallsQuery::cursor, page_cursor),
    };
  }
};

struct ListSessionsQuery {
  std::optional<std::string> user_id{};
  std::optional<std::string> status{};
  std::optional<int> limit = 50;
  std::optional<std::string> cursor{};

  static constexpr std::string_view schema_name = "ListSessionsQuery";
  static constexpr auto fields() {
    wire::Rules user = schemas::user_id;
    user.description = "Only sessions of this user.";
    return std::tuple{
        wire::field("user_id", &ListSessionsQuery::user_id, user),
        wire::field("status", &ListSessionsQuery::status,
                    {.description = "Only sessions of this status.", .values = "pending|active|ended"}),
        wire::field("limit", &ListSessionsQuery::limit, page_limit),
        wire::field("cursor", &ListSessionsQuery::cursor, page_cursor),
    };
  }
};

struct TimelineQuery {
  std::optional<int> limit = 200;
  std::optional<std::string> cursor{};

  static constexpr std::string_view schema_name = "TimelineQuery";
  static constexpr auto fields() {
    wire::Rules limit = page_limit;
    limit.example = "200";
    return std::tuple{
        wire::field("limit", &TimelineQuery::limit, limit),
        wire::field("cursor", &TimelineQuery::cursor, page_cursor),
    };
  }
};

}  // namespace call_service::schemas
