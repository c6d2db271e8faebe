#include "database/dialect.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "database/errors.hpp"
#include "database/sqlite/inlined_input.hpp"

namespace call_service::db {

namespace {

struct Spelling {
  std::string_view token;
  std::string_view postgresql;
  std::string_view sqlite;
};

constexpr std::array spellings{
    Spelling{"skip_locked", "FOR UPDATE SKIP LOCKED", ""},
    Spelling{"greatest", "GREATEST", "max"},
    Spelling{"json", "::json", ""},
    Spelling{"lateral", "LATERAL", ""},
    Spelling{"one_by_one", "OFFSET 0", ""},
};

// `$body$`, with as many further letters as it takes.
std::string body_quote(std::string_view schema) {
  std::string quote = "$body$";
  while (schema.find(quote) != std::string_view::npos) quote.insert(quote.size() - 1, "y");
  return quote;
}

// `{by_key:calls:c}` -> "calls", "c".
std::pair<std::string_view, std::string_view> table_and_alias(std::string_view token) {
  token.remove_prefix(token.find(':') + 1);
  const auto colon = token.find(':');
  return {token.substr(0, colon), token.substr(colon + 1)};
}

// What stands before the first `}`. Migrations are read from files, so it may be anything.
std::string_view token_in_braces(std::string_view sql) {
  const auto* end =
      std::ranges::find_if_not(sql, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == ':'; });
  const auto length = static_cast<std::size_t>(end - sql.begin());
  if (length == 0 || length == sql.size() || *end != '}') {
    throw StatementFailed("what begins with {" + std::string(sql.substr(0, 20)) +
                              " is no name in braces; a brace of the text itself is written {{",
                          "brace");
  }
  return sql.substr(0, length);
}

}  // namespace

std::string_view sql_type(Type type, Dialect::Kind kind) {
  const bool postgresql = kind == Dialect::Kind::postgresql;
  switch (type) {
    case Type::uuid:
      return postgresql ? "uuid" : "text";
    case Type::text:
      return "text";
    case Type::timestamp:
      return postgresql ? "timestamptz" : "text";
    case Type::integer:
      return postgresql ? "bigint" : "integer";
    case Type::boolean:
      return postgresql ? "boolean" : "integer";
    case Type::json:
      return postgresql ? "json" : "text";
  }
  std::unreachable();
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

Dialect::Dialect(Kind kind, std::string schema) : kind_(kind), schema_(std::move(schema)) {}

std::string Dialect::qualified(std::string_view table) const {
  if (kind_ == Kind::sqlite) return quote_identifier(table);
  return quote_identifier(schema_) + "." + quote_identifier(table);
}

std::string Dialect::expand(std::string_view sql) const {
  std::string out;
  out.reserve(sql.size() + 64);
  while (true) {
    const auto open = sql.find('{');
    out += sql.substr(0, open);
    if (open == std::string_view::npos) return out;
    if (sql.substr(open).starts_with("{{")) {
      out += '{';
      sql.remove_prefix(open + 2);
      continue;
    }
    const std::string_view token = token_in_braces(sql.substr(open + 1));
    sql.remove_prefix(open + 1 + token.size() + 1);

    const auto* spelling = std::ranges::find(spellings, token, &Spelling::token);
    if (spelling != spellings.end()) {
      out += kind_ == Kind::postgresql ? spelling->postgresql : spelling->sqlite;
    } else if (token.starts_with("lock:")) {
      if (kind_ == Kind::postgresql) out.append("FOR UPDATE OF ").append(token.substr(5));
    } else if (token.starts_with("of:")) {
      if (kind_ == Kind::postgresql) out.append(token.substr(3)).append(".");
    } else if (token.starts_with("by_key:")) {
      out += open_by_key(token);
    } else if (token.starts_with("key:")) {
      const std::string alias(token.substr(4));
      out += kind_ == Kind::postgresql ? "OFFSET 0) " + alias + " ON true" : ") " + alias;
    } else if (token == "schema") {
      out += kind_ == Kind::postgresql ? quote_identifier(schema_) : "main";
    } else if (token == "body") {
      out += body_quote(schema_);
    } else {
      out += qualified(token);
    }
  }
}

std::string Dialect::open_by_key(std::string_view token) const {
  const auto [table, alias] = table_and_alias(token);
  const std::string opening = kind_ == Kind::postgresql ? "LATERAL (SELECT " : "(SELECT ";
  return opening + std::string(alias) + ".* FROM " + qualified(table) + " " + std::string(alias) + " WHERE";
}

std::string Dialect::render(const Statement& statement) const {
  if (statement.input.empty()) return expand(statement.sql);
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < statement.input.size(); ++i) {
    const auto& column = statement.input[i];
    const std::string separator = i == 0 ? "" : ", ";
    names += separator + std::string(column.name);
    values += separator + (kind_ == Kind::postgresql
                               ? "$" + std::to_string(i + 1) + "::" + std::string(sql_type(column.type, kind_)) + "[]"
                               : "?" + std::to_string(i + 1));
  }
  if (kind_ == Kind::postgresql) {
    return "WITH input AS (SELECT * FROM unnest(" + values + ") AS i(" + names + ")) " + expand(statement.sql);
  }
  const std::string sql = sqlite::inlined_input(statement);
  return (sqlite::needs_input(sql) ? "WITH input(" + names + ") AS (SELECT " + values + ") " : "") + expand(sql);
}

}  // namespace call_service::db
