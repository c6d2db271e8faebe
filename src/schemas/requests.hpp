#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/uuid.hpp"
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
  // A user token says who calls, a service key does not.
  static constexpr std::array<std::string_view, 1> required_of_services{"caller_id"};
  static constexpr auto fields() {
    return std::tuple{
        wire::field("caller_id", &StartCallRequest::caller_id, user_id),
        wire::field("name", &StartCallRequest::name, display_name),
        wire::field("call_id", &StartCallRequest::call_id),
        wire::field("user_ids", &StartCallRequest::user_ids,
                    {.min_length = 1, .max_length = 1000, .check = check_user_id, .max_item_length = 128}),
        wire::field("metadata", &StartCallRequest::metadata, {.max_length = 4096}),
        wire::field("max_participants", &StartCallRequest::max_participants, {.min = 1, .max = 10'000}),
    };
  }
};

struct JoinCallRequest {
  std::optional<std::string> name{};

  static constexpr std::string_view schema_name = "JoinCallRequest";
  static constexpr auto fields() { return std::tuple{wire::field("name", &JoinCallRequest::name, display_name)}; }
};

struct LeaveCallRequest {
  std::optional<Uuid> session_id{};

  static constexpr std::string_view schema_name = "LeaveCallRequest";
  static constexpr auto fields() { return std::tuple{wire::field("session_id", &LeaveCallRequest::session_id)}; }
};

struct EndCallRequest {
  std::optional<std::string> user_id{};

  static constexpr std::string_view schema_name = "EndCallRequest";
  static constexpr auto fields() {
    return std::tuple{wire::field("user_id", &EndCallRequest::user_id, schemas::user_id)};
  }
};

}  // namespace call_service::schemas
