#include "database/sqlite/inlined_input.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

namespace call_service::db::sqlite {

namespace {

constexpr std::string_view relation = "FROM input i";

// Joined to it by what needs no relation, as long as it has the input's columns.
struct Joined {
  std::string_view join;
  std::string_view to;
};
constexpr std::array joined{Joined{"JOIN ", "{by_key:"}, Joined{", ", "{lateral}"}};

bool is_of_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string_view name_at_begin(std::string_view text) {
  return text.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(text, is_of_name) - text.begin()));
}

std::string_view without_spaces(std::string_view text) {
  const auto begin = text.find_first_not_of(" \n");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

// What remains of `FROM input i` and of what follows it, which is cut from `rest`; nothing: it has to stay as it is.
std::optional<std::string_view> remainder(std::string_view& rest) {
  static constexpr std::array ends{")", "WHERE", "ORDER", "UNION", "RETURNING"};
  const auto next = without_spaces(rest);
  for (const auto& [join, to] : joined) {
    if (!next.starts_with(join) || !next.substr(join.size()).starts_with(to)) continue;
    rest = next.substr(join.size());
    return "FROM ";
  }
  if (!next.empty() && std::ranges::none_of(ends, [&](const char* end) { return next.starts_with(end); })) {
    return std::nullopt;
  }
  rest = next;
  return "";
}

// The text before `mark`, which is cut off with it; nothing, and no change, if there is none.
std::optional<std::string_view> cut_before(std::string_view& text, std::string_view mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const auto before = text.substr(0, at);
  text.remove_prefix(at + mark.size());
  return before;
}

std::string with_alias(std::string_view sql, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0; at < sql.size();) {
    const auto rest = sql.substr(at);
    const bool is_alias =
        (at == 0 || !is_of_name(sql[at - 1])) && rest.starts_with(from) && rest.substr(from.size()).starts_with('.');
    out += is_alias ? to : rest.substr(0, 1);
    at += is_alias ? from.size() : 1;
  }
  return out;
}

// UPDATE {calls} AS t SET … FROM input i JOIN {by_key:calls:c} … {key:c} WHERE t.call_id = c.call_id AND …: the row
// that is looked up is the target itself, found again by its primary key, so the target is looked up like that. UPDATE
// … FROM would put it into a table first.
std::optional<std::string> with_target_by_key(std::string_view sql) {
  if (!cut_before(sql, "UPDATE {")) return std::nullopt;
  const auto table = cut_before(sql, "} AS ");
  const auto target = cut_before(sql, " SET ");
  if (!table || !target) return std::nullopt;
  const auto set = cut_before(sql, "FROM input i JOIN {by_key:" + std::string(*table) + ":");
  if (!set) return std::nullopt;
  const auto found = cut_before(sql, "}");
  const auto condition = cut_before(sql, "{key:" + std::string(found.value_or("")) + "}");
  if (!condition) return std::nullopt;
  sql = without_spaces(sql);
  const std::string same = "WHERE " + std::string(*target) + ".";
  if (!sql.starts_with(same)) return std::nullopt;
  const auto key = name_at_begin(sql.substr(same.size()));
  const std::string equals = same + std::string(key) + " = " + std::string(*found) + "." + std::string(key);
  if (!sql.starts_with(equals) || !name_at_begin(sql.substr(equals.size())).empty()) return std::nullopt;
  const std::string direct = "UPDATE {" + std::string(*table) + "} AS " + std::string(*found) + " SET " +
                             std::string(*set) + "WHERE (" + std::string(without_spaces(*condition)) + ")" +
                             std::string(sql.substr(equals.size()));
  return with_alias(direct, *target, *found);
}

std::string without_relation(std::string_view sql) {
  std::string out;
  while (true) {
    const auto found = sql.find(relation);
    out += sql.substr(0, found);
    if (found == std::string_view::npos) return out;
    sql.remove_prefix(found + relation.size());
    out += remainder(sql).value_or(relation);
  }
}

std::string with_parameters(std::string_view sql, const std::vector<Column>& input) {
  std::string out;
  for (std::size_t at = 0; at < sql.size();) {
    const bool is_column = sql.substr(at).starts_with("i.") && (at == 0 || !is_of_name(sql[at - 1]));
    const auto name = is_column ? name_at_begin(sql.substr(at + 2)) : std::string_view();
    const auto column = std::ranges::find(input, name, &Column::name);
    if (column == input.end()) {
      out += sql[at++];
      continue;
    }
    out += '?';
    out += std::to_string(column - input.begin() + 1);
    at += 2 + name.size();
  }
  return out;
}

}  // namespace

std::string inlined_input(const Statement& statement) {
  const auto direct = with_target_by_key(statement.sql);
  return with_parameters(without_relation(direct.value_or(statement.sql)), statement.input);
}

bool needs_input(std::string_view sql) {
  constexpr std::string_view name = "input";
  for (auto at = sql.find(name); at != std::string_view::npos; at = sql.find(name, at + 1)) {
    const bool begins = at == 0 || !is_of_name(sql[at - 1]);
    if (begins && name_at_begin(sql.substr(at)) == name) return true;
  }
  return false;
}

}  // namespace call_service::db::sqlite
