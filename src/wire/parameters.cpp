#include "wire/parameters.hpp"

#include <charconv>
#include <limits>
#include <set>

#include "base/ranges.hpp"

namespace call_service::wire::detail {
namespace {

// As in JSON: digits without a leading zero, perhaps a minus; of any size.
bool is_whole_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || (text.starts_with('0') && text.size() > 1)) return false;
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::optional<ValueFault> read_text(std::string_view text, std::string& out, const Rules& rules) {
  if (auto fault = check_text(text, rules)) return fault;
  out = text;
  return std::nullopt;
}

std::optional<ValueFault> read_text(std::string_view text, int& out, const Rules& rules) {
  if (!is_whole_number(text)) return ValueFault{"type", "must be a whole number"};
  const std::int64_t least = std::max<std::int64_t>(rules.min, std::numeric_limits<int>::min());
  const std::int64_t most = std::min<std::int64_t>(rules.max, std::numeric_limits<int>::max());
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || value < least || value > most) return ValueFault{"range", describe_range(least, most)};
  out = static_cast<int>(value);
  return std::nullopt;
}

// A space where the sign of an offset stands is a '+' that was sent as it is: 2026-11-22T15:39:21+01:00. Nothing else
// can be meant by it.
std::optional<ValueFault> read_text(std::string_view text, Timestamp& out, const Rules&) {
  constexpr std::size_t offset_size = 6;
  std::string sent(text);
  if (sent.size() > offset_size && sent[sent.size() - offset_size] == ' ') sent[sent.size() - offset_size] = '+';
  const auto at = parse_timestamp(sent);
  if (!at) return ValueFault{"format", std::string(must_be_time)};
  out = *at;
  return std::nullopt;
}

void check_names(std::span<const Parameter> parameters, std::span<const std::string_view> known,
                 std::vector<Fault>& faults) {
  std::set<std::string_view> seen;
  std::set<std::string_view> repeated;
  for (const auto& [name, value] : parameters) {
    if (!seen.insert(name).second) {
      if (repeated.insert(name).second && contains(known, name)) {
        faults.push_back({.parameter = name, .code = "format", .detail = "must be given once"});
      }
    } else if (!contains(known, name)) {
      // A parameter without a name is told by what it is, for a fault without a name is one of the body.
      const std::string shown = name.empty() ? "=" + value : name;
      faults.push_back({.parameter = shown, .code = "unknown_field", .detail = "is not a parameter we know"});
    }
  }
}

}  // namespace call_service::wire::detail
