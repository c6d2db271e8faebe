#include "schemas/text_rules.hpp"

#include "base/text.hpp"

namespace call_service::schemas {
namespace {

constexpr std::size_t max_characters = 128;

// What user ids and display names have in common.
std::optional<wire::TextFault> check_label(std::string_view text) {
  if (!is_utf8(text)) return wire::TextFault{"format", "must be UTF-8"};
  const std::size_t length = count_code_points(text);
  if (length < 1 || length > max_characters) return wire::TextFault{"length", "must have 1 to 128 characters"};
  if (has_control_characters(text)) return wire::TextFault{"format", "must not contain control characters"};
  return std::nullopt;
}

}  // namespace

std::optional<wire::TextFault> check_user_id(std::string_view text) {
  if (const auto fault = check_label(text)) return fault;
  if (has_outer_white_space(text)) return wire::TextFault{"format", "must not begin or end with white space"};
  if (text == "." || text == "..") return wire::TextFault{"format", "must not be \".\" or \"..\""};
  return std::nullopt;
}

std::optional<wire::TextFault> check_display_name(std::string_view text) {
  return check_label(text);
}

bool is_user_id(std::string_view text) {
  return !check_user_id(text);
}

}  // namespace call_service::schemas
