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
  return with_parameters(without_relation(statement.sql), statement.input);
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
