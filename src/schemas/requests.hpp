#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/uuid.hpp"
#include "schemas/members.hpp"
#include "schemas/text_rules.hpp"
#include "wire/field.hpp"

// The bodies of requests.
namespace call_service::schemas {

struct StartCallRequest {
  std::optional<std::string> caller_id{};
  std::optional<std::string> name{};
  std::optional<Uuid> call_id{};
  std::optional<std::vector<std::string>> user_ids{};
  std::optional<wire::JsonObject> metadata{};
  std::optional<int> max_participants{};

  static constexpr std::string_view schema_name = "StartCallRequest";
  static constexpr std::string_view schema_example = R"({"caller_id":"ada","name":"Ada","metadata":{"topic":"demo"}})";
  // A user token says who calls, a service key does not.
  static constexpr std::array<std::string_view, 1> required_of_services{"caller_id"};
  static constexpr auto fields() {
    return std::tuple{
        wire::field("caller_id", &StartCallRequest::caller_id, members::caller_id),
        wire::field("name", &StartCallRequest::name, display_name),
        wire::field("call_id", &StartCallRequest::call_id, members::chosen_call_id),
        wire::field("user_ids", &StartCallRequest::user_ids,
                    {.min_length = 1,
                     .max_length = 1000,
                     .check = check_user_id,
                     .max_item_length = 128,
                     .pattern = user_id_pattern,
                     .description = "Who may join; without it, whoever is authenticated and knows the call's id."}),
        wire::field("metadata", &StartCallRequest::metadata, members::metadata),
        wire::field(
            "max_participants", &StartCallRequest::max_participants,
            {.min = 1, .max = 10'000, .description = "How many users may be in the call at once; none: any number."}),
    };
  }
};

struct JoinCallRequest {
  std::optional<std::string> name{};

  static constexpr std::string_view schema_name = "JoinCallRequest";
  static constexpr std::string_view schema_example = R"({"name":"Bob"})";
  static constexpr auto fields() { return std::tuple{wire::field("name", &JoinCallRequest::name, display_name)}; }
};

struct LeaveCallRequest {
  std::optional<Uuid> session_id{};

  static constexpr std::string_view schema_name = "LeaveCallRequest";
  static constexpr std::string_view schema_example = "{}";
  static constexpr auto fields() {
    return std::tuple{wire::field("session_id", &LeaveCallRequest::session_id, members::only_session_id)};
  }
};

struct EndCallRequest {
  std::optional<std::string> user_id{};

  static constexpr std::string_view schema_name = "EndCallRequest";
  static constexpr std::string_view schema_example = "{}";
  static constexpr auto fields() {
    return std::tuple{wire::field("user_id", &EndCallRequest::user_id, members::on_behalf_of)};
  }
};

}  // namespace call_service::schemas
