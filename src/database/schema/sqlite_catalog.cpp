#include "database/schema/sqlite_catalog.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "database/schema/sql_text.hpp"

namespace call_service::db {

namespace {

using Tokens = std::span<const SqlToken>;

const Statement& list_tables() {
  static const Statement tables{.name = "catalog_tables",
                                .sql = "SELECT t.name, t.sql FROM sqlite_schema t WHERE t.type = 'table'",
                                .output = {Type::text, Type::text}};
  return tables;
}

const Statement& list_columns() {
  static const Statement columns{
      .name = "catalog_columns",
      .sql =
          "SELECT t.name, p.name, lower(p.type), p.\"notnull\", p.hidden IN (2, 3), p.dflt_value, p.pk"
          " FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) p WHERE t.type = 'table' ORDER BY t.name, p.cid",
      .output = {Type::text, Type::text, Type::text, Type::boolean, Type::boolean, Type::text, Type::integer}};
  return columns;
}

const Statement& list_foreign_keys() {
  static const Statement keys{
      .name = "catalog_foreign_keys",
      .sql =
          "SELECT t.name, group_concat(f.\"from\", ', '), f.\"table\", group_concat(f.\"to\", ', '), f.on_update,"
          " f.on_delete FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'"
          " GROUP BY t.name, f.id ORDER BY t.name, f.id DESC",
      .output = std::vector<Type>(6, Type::text)};
  return keys;
}

const Statement& list_uniques() {
  static const Statement uniques{
      .name = "catalog_uniques",
      .sql =
          "SELECT t.name, l.name, (SELECT group_concat(x.name, ', ') FROM pragma_index_info(l.name) x)"
          " FROM sqlite_schema t JOIN pragma_index_list(t.name) l WHERE t.type = 'table' AND l.origin = 'u'"
          " ORDER BY t.name, l.name",
      .output = {Type::text, Type::text, Type::text}};
  return uniques;
}

const Statement& list_indexes_and_triggers() {
  static const Statement parts{
      .name = "catalog_indexes_and_triggers",
      .sql =
          "SELECT s.tbl_name, s.name, s.sql, s.type = 'index' FROM sqlite_schema s"
          " WHERE s.type IN ('index', 'trigger') AND s.sql IS NOT NULL ORDER BY s.tbl_name, s.name",
      .output = {Type::text, Type::text, Type::text, Type::boolean}};
  return parts;
}

std::string text(const Value& value) {
  const auto* known = std::get_if<std::string>(&value);
  return known != nullptr ? *known : std::string();
}

// What stands between the parenthesis at `open` and its end.
Tokens inside(Tokens tokens, std::size_t open) {
  return tokens.subspan(open + 1, closing_parenthesis(tokens, open) - open - 1);
}

std::size_t find(Tokens tokens, std::string_view word) {
  return static_cast<std::size_t>(std::ranges::find(tokens, word, &SqlToken::text) - tokens.begin());
}

bool is_table_constraint(std::string_view word) {
  return word == "constraint" || word == "primary" || word == "unique" || word == "check" || word == "foreign";
}

ColumnSchema* find_column(TableSchema& table, std::string_view name) {
  const auto found = std::ranges::find(table.columns, name, &ColumnSchema::name);
  return found != table.columns.end() ? &*found : nullptr;
}

// A column's definition or a table constraint: takes from it what no pragma tells.
void read_item(TableSchema& table, Tokens item) {
  ColumnSchema* column = is_table_constraint(item.front().text) ? nullptr : find_column(table, item.front().text);
  std::string name;
  for (std::size_t i = 0; i + 1 < item.size(); ++i) {
    const auto& word = item[i].text;
    if (word == "constraint") name = item[i + 1].text;
    if (item[i + 1].text != "(") continue;
    const auto expression = inside(item, i + 1);
    if (word == "check") table.checks.push_back({name, Sql(sql_of(expression))});
    if (word == "as" && column != nullptr) column->generated = Sql(sql_of(expression));
    i += expression.size() + 1;
  }
}

void read_table_text(TableSchema& table, const std::string& sql) {
  const auto all = sql_tokens(sql);
  const std::size_t open = find(all, "(");
  if (open == all.size()) return;
  const auto items = inside(all, open);
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= items.size(); ++i) {
    if (i < items.size() && items[i].text == "(") i = closing_parenthesis(items, i);
    if (i < items.size() && items[i].text != ",") continue;
    if (i > begin) read_item(table, items.subspan(begin, i - begin));
    begin = i + 1;
  }
}

IndexSchema read_index(const std::string& name, const std::string& sql) {
  const auto all = sql_tokens(sql);
  const Tokens tokens(all);
  const std::size_t open = find(tokens, "(");
  const auto columns = inside(tokens, open);
  const auto rest = tokens.subspan(std::min(tokens.size(), open + columns.size() + 2));
  IndexSchema index{
      .name = name, .columns = sql_of(columns), .unique = tokens.size() > 1 && tokens[1].text == "unique"};
  if (!rest.empty() && rest.front().text == "where") index.where = Sql(sql_of(rest.subspan(1)));
  return index;
}

void add_column(TableSchema& table, std::map<std::int64_t, std::string>& key, const Row& row) {
  ColumnSchema column{.name = sql_name(text(row[1])), .type = text(row[2]), .required = std::get<bool>(row[3])};
  if (!std::get<bool>(row[4]) && std::holds_alternative<std::string>(row[5])) {
    column.default_value = Sql(normalised_sql(text(row[5])));
  }
  const auto position = std::get<std::int64_t>(row[6]);
  if (position > 0) key[position] = column.name;
  table.columns.push_back(std::move(column));
}

}  // namespace

Schema read_sqlite_schema(Connection& connection) {
  std::map<std::string, TableSchema> found;
  std::map<std::string, std::map<std::int64_t, std::string>> keys;
  for (const auto& row : connection.query(list_columns(), {})) {
    const auto table = text(row[0]);
    add_column(found[table], keys[table], row);
  }
  for (const auto& [table, key] : keys) {
    for (const auto& [position, column] : key) found[table].primary_key += (position == 1 ? "" : ", ") + column;
  }
  for (const auto& row : connection.query(list_tables(), {})) read_table_text(found[text(row[0])], text(row[1]));
  for (const auto& row : connection.query(list_foreign_keys(), {})) {
    found[text(row[0])].foreign_keys.push_back(
        {"", text(row[1]), text(row[2]), text(row[3]), text(row[4]), text(row[5])});
  }
  for (const auto& row : connection.query(list_uniques(), {})) {
    found[text(row[0])].uniques.push_back({text(row[1]), text(row[2])});
  }
  for (const auto& row : connection.query(list_indexes_and_triggers(), {})) {
    auto& table = found[text(row[0])];
    if (std::get<bool>(row[3])) {
      table.indexes.push_back(read_index(sql_name(text(row[1])), text(row[2])));
    } else {
      table.triggers.push_back({sql_name(text(row[1])), Sql(normalised_sql(text(row[2])))});
    }
  }
  Schema schema;
  for (auto& [name, table] : found) {
    table.name = name;
    schema.tables.push_back(std::move(table));
  }
  return schema;
}

}  // namespace call_service::db
