#include "wire/read.hpp"

#include <cmath>
#include <limits>

#include "base/text.hpp"

namespace call_service::wire::detail {
namespace {

std::string_view describe(JsonKind kind) {
  switch (kind) {
    case JsonKind::boolean:
      return "must be true or false";
    case JsonKind::number:
      return "must be a whole number";
    case JsonKind::string:
      return "must be a string";
    case JsonKind::array:
      return "must be a list";
    case JsonKind::object:
      return "must be an object";
    case JsonKind::null:
      break;
  }
  return "must be null";
}

// "must have 1 to 128 characters", naming only the bounds that are set.
std::string describe_length(std::size_t least, std::size_t most, std::string_view unit) {
  std::string text = "must have ";
  if (most == SIZE_MAX) {
    text.append("at least ").append(std::to_string(least));
  } else if (least == 0) {
    text.append("at most ").append(std::to_string(most));
  } else {
    text.append(std::to_string(least)).append(" to ").append(std::to_string(most));
  }
  return text.append(" ").append(unit);
}

bool is_one_of(std::string_view text, std::string_view values) {
  while (true) {
    const auto end = std::min(values.find('|'), values.size());
    if (text == values.substr(0, end)) return true;
    if (end == values.size()) return false;
    values.remove_prefix(end + 1);
  }
}

void read_whole_number(JsonView json, std::int64_t& out, std::int64_t least, std::int64_t most, const Place& place,
                       Faults& faults) {
  if (!expect_kind(json, JsonKind::number, place, faults)) return;
  if (!json.is_whole()) return faults.add(place, "type", std::string(describe(JsonKind::number)));
  const auto value = json.integer();
  if (!value || *value < least || *value > most) return faults.add(place, "range", describe_range(least, most));
  out = *value;
}

struct ObjectFaults {
  bool has_nul = false;
  bool has_huge_number = false;
};

void look_for_faults(JsonView json, ObjectFaults& found) {
  const auto has_nul = [](std::string_view text) { return text.find('\0') != std::string_view::npos; };
  switch (json.kind()) {
    case JsonKind::string:
      found.has_nul |= has_nul(json.text());
      break;
    case JsonKind::number:
      found.has_huge_number |= std::isinf(json.number());
      break;
    case JsonKind::array:
      json.for_each_element([&](JsonView element) { look_for_faults(element, found); });
      break;
    case JsonKind::object:
      json.for_each_member([&](std::string_view key, JsonView value) {
        found.has_nul |= has_nul(key);
        look_for_faults(value, found);
      });
      break;
    default:
      break;
  }
}

}  // namespace

void Faults::add(const Place& place, std::string_view code, std::string detail) {
  list_.push_back({place.pointer(), {}, code, std::move(detail)});
}

Error Faults::to_error() && {
  return {ErrorCode::validation_failed, "The request's content is not valid.", std::move(list_), {}};
}

std::string describe_range(std::int64_t least, std::int64_t most) {
  return "must be from " + std::to_string(least) + " to " + std::to_string(most);
}

std::optional<ValueFault> check_text(std::string_view text, const Rules& rules) {
  const std::size_t length = count_code_points(text);
  if (length < rules.min_length || length > rules.max_length) {
    return ValueFault{"length", describe_length(rules.min_length, rules.max_length, "characters")};
  }
  if (const auto fault = rules.check != nullptr ? rules.check(text) : std::nullopt) {
    return ValueFault{fault->code, std::string(fault->detail)};
  }
  if (rules.values.empty() || is_one_of(text, rules.values)) return std::nullopt;
  return ValueFault{"enum", "must be one of " + std::string(rules.values)};
}

bool expect_kind(JsonView json, JsonKind kind, const Place& place, Faults& faults) {
  if (json.kind() == kind) return true;
  faults.add(place, "type", std::string(describe(kind)));
  return false;
}

void check_size(std::size_t size, const Rules& rules, const Place& place, Faults& faults) {
  if (size >= rules.min_length && size <= rules.max_length) return;
  faults.add(place, "length", describe_length(rules.min_length, rules.max_length, "elements"));
}

Rules item_rules(const Rules& rules) {
  return {.max_length = rules.max_item_length, .min = rules.min, .max = rules.max, .check = rules.check};
}

void add_required(const Place& place, Faults& faults) {
  faults.add(place, "required", "is required");
}

void require_members(JsonView json, std::span<const std::string_view> names, Faults& faults) {
  if (json.kind() != JsonKind::object) return;
  const Place root;
  for (const std::string_view name : names) {
    const auto value = json.find(name);
    if (!value || value->is_null()) add_required(Place(&root, name), faults);
  }
}

void add_unknown(const Place& place, Faults& faults) {
  faults.add(place, "unknown_field", "is not a member we know");
}

void read_value(JsonView json, std::string& out, const Rules& rules, const Place& place, Faults& faults) {
  if (!expect_kind(json, JsonKind::string, place, faults)) return;
  if (auto fault = check_text(json.text(), rules)) return faults.add(place, fault->code, std::move(fault->detail));
  out = json.text();
}

void read_value(JsonView json, bool& out, const Rules&, const Place& place, Faults& faults) {
  if (expect_kind(json, JsonKind::boolean, place, faults)) out = json.boolean();
}

void read_value(JsonView json, int& out, const Rules& rules, const Place& place, Faults& faults) {
  constexpr std::int64_t least = std::numeric_limits<int>::min();
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  std::int64_t value = 0;
  read_whole_number(json, value, std::max(rules.min, least), std::min(rules.max, most), place, faults);
  out = static_cast<int>(value);
}

void read_value(JsonView json, std::int64_t& out, const Rules& rules, const Place& place, Faults& faults) {
  read_whole_number(json, out, rules.min, rules.max, place, faults);
}

void read_value(JsonView json, Uuid& out, const Rules&, const Place& place, Faults& faults) {
  if (!expect_kind(json, JsonKind::string, place, faults)) return;
  const auto id = Uuid::parse(json.text());
  if (!id) return faults.add(place, "format", "must be a UUID");
  out = *id;
}

void read_value(JsonView json, Timestamp& out, const Rules&, const Place& place, Faults& faults) {
  if (!expect_kind(json, JsonKind::string, place, faults)) return;
  const auto at = parse_timestamp(json.text());
  if (!at) return faults.add(place, "format", std::string(must_be_time));
  out = *at;
}

void read_value(JsonView json, JsonObject& out, const Rules& rules, const Place& place, Faults& faults) {
  if (!expect_kind(json, JsonKind::object, place, faults)) return;
  ObjectFaults found;
  look_for_faults(json, found);
  if (found.has_nul) faults.add(place, "format", "must not contain the character U+0000");
  if (found.has_huge_number) faults.add(place, "range", "must not contain a number beyond a double's range");
  out.text.clear();
  json.append_to(out.text);
  const std::size_t length = out.text.size();
  if (length < rules.min_length || length > rules.max_length) {
    faults.add(place, "length", describe_length(rules.min_length, rules.max_length, "bytes as JSON text"));
  }
}

}  // namespace call_service::wire::detail
