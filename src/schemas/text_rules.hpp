#pragma once

#include <optional>
#include <string_view>

#include "wire/field.hpp"

// The contract's rules for texts, each in one place: as a check, and as the Rules of a member.
namespace call_service::schemas {

// 1 to 128 characters of UTF-8, no control characters, no white space at either end, not "." or "..".
std::optional<wire::TextFault> check_user_id(std::string_view text);

// 1 to 128 characters, no control characters.
std::optional<wire::TextFault> check_display_name(std::string_view text);

// check_user_id as a yes or no: what paths and tokens need.
bool is_user_id(std::string_view text);

inline constexpr std::string_view user_id_pattern =
    R"(^(?!\.{1,2}$)[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])"
    R"(([^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?$)";

inline constexpr wire::Rules user_id{
    .min_length = 1,
    .max_length = 128,
    .check = check_user_id,
    .pattern = user_id_pattern,
    .description =
        "A user's id: yours, opaque, no e-mail address. No control characters, no white space at either end, "
        "not `.` or `..`.",
    .example = "\"user_a\""};
inline constexpr wire::Rules display_name{.min_length = 1,
                                          .max_length = 128,
                                          .check = check_display_name,
                                          .pattern = R"(^[^\u0000-\u001f\u007f-\u009f]*$)",
                                          .description = "Shown to the others in the call.",
                                          .example = "\"Ada\""};

}  // namespace call_service::schemas
