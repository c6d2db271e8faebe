#include "database/dialect.hpp"

#include <algorithm>
#include <array>
#include <utility>

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
};

std::string_view array_type(Type type) {
  switch (type) {
    case Type::uuid:
      return "uuid[]";
    case Type::text:
      return "text[]";
    case Type::timestamp:
      return "timestamptz[]";
    case Type::integer:
      return "bigint[]";
    case Type::boolean:
      return "boolean[]";
    case Type::json:
      return "json[]";
  }
  std::unreachable();
}

}  // namespace

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
    const auto close = sql.find('}', open);
    const std::string_view token = sql.substr(open + 1, close - open - 1);
    sql.remove_prefix(close + 1);

    const auto* spelling = std::ranges::find(spellings, token, &Spelling::token);
    if (spelling != spellings.end()) {
      out += kind_ == Kind::postgresql ? spelling->postgresql : spelling->sqlite;
    } else if (token.starts_with("lock:")) {
      if (kind_ == Kind::postgresql) out.append("FOR UPDATE OF ").append(token.substr(5));
    } else if (token.starts_with("of:")) {
      if (kind_ == Kind::postgresql) out.append(token.substr(3)).append(".");
    } else if (token == "schema") {
      out += kind_ == Kind::postgresql ? quote_identifier(schema_) : "main";
    } else {
      out += qualified(token);
    }
  }
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
                               ? "$" + std::to_string(i + 1) + "::" + std::string(array_type(column.type))
                               : "?" + std::to_string(i + 1));
  }
  const std::string input = kind_ == Kind::postgresql
                                ? "WITH input AS (SELECT * FROM unnest(" + values + ") AS i(" + names + ")) "
                                : "WITH input(" + names + ") AS (SELECT " + values + ") ";
  return input + expand(statement.sql);
}

}  // namespace call_service::db
