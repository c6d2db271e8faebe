// difference.hpp: in_declared_words.

#include <map>
#include <regex>

#include "database/schema/difference.hpp"

namespace call_service::db {

namespace {

constexpr std::array all_types{Type::text, Type::uuid, Type::timestamp, Type::integer, Type::boolean, Type::json};

// Dialect::expand makes one brace of two.
std::string with_doubled_braces(const std::string& text) {
  static const std::regex brace("\\{");
  return std::regex_replace(text, brace, "{{");
}

// Translates texts of one live table: equal to what the database made of a declaration -> that declaration.
class Words {
 public:
  Words(const TableSchema* catalogued, const TableSchema* declared, Dialect::Kind kind) : kind_(kind) {
    if (catalogued == nullptr || declared == nullptr) return;
    for (const auto& part : catalogued->checks) learn(part, declared->checks, &CheckSchema::condition);
    for (const auto& part : catalogued->triggers) learn(part, declared->triggers, &TriggerSchema::create);
    for (const auto& part : catalogued->indexes) learn(part, declared->indexes, &IndexSchema::where);
    for (const auto& part : catalogued->columns) {
      learn(part, declared->columns, &ColumnSchema::default_value);
      learn(part, declared->columns, &ColumnSchema::generated);
      if (const auto* column = find_named(declared->columns, part.name)) {
        types_.emplace(part.name + " " + part.type.in(kind), column->type);
      }
    }
  }

  TableSchema translate(TableSchema table) const {
    for (auto& check : table.checks) check.condition = translated(check.condition);
    for (auto& trigger : table.triggers) trigger.create = translated(trigger.create);
    for (auto& index : table.indexes) {
      if (index.where) index.where = translated(*index.where);
    }
    for (auto& column : table.columns) {
      column.type = type(column);
      if (column.default_value) column.default_value = translated(*column.default_value);
      if (column.generated) column.generated = translated(*column.generated);
    }
    return table;
  }

 private:
  void learn(const std::optional<Sql>& catalogued, const std::optional<Sql>& declared) {
    if (catalogued && declared) texts_.emplace(catalogued->in(kind_), *declared);
  }

  template <typename Part, typename Member>
  void learn(const Part& catalogued, const std::vector<Part>& declared, Member Part::* member) {
    if (const auto* part = find_named(declared, catalogued.name)) learn(catalogued.*member, part->*member);
  }

  Sql translated(const Sql& live) const {
    const auto known = texts_.find(live.in(kind_));
    if (known != texts_.end()) return known->second;
    // PostgreSQL's triggers have their tables in braces already.
    const auto& text = live.in(kind_);
    Sql taken = text.starts_with("CREATE TRIGGER") ? text : with_doubled_braces(text);
    taken.taken_from = kind_;
    return taken;
  }

  Sql type(const ColumnSchema& column) const {
    const auto known = types_.find(column.name + " " + column.type.in(kind_));
    if (known != types_.end()) return known->second;
    const auto live = column.type.in(kind_) == "timestamp with time zone" ? "timestamptz" : column.type.in(kind_);
    for (const auto each : all_types) {
      using enum Dialect::Kind;
      if (sql_type(each, kind_) == live)
        return {std::string(sql_type(each, postgresql)), std::string(sql_type(each, sqlite))};
    }
    return column.type;
  }

  Dialect::Kind kind_;
  std::map<std::string, Sql> texts_;
  std::map<std::string, Sql> types_;
};

}  // namespace

Schema in_declared_words(const Catalogs& catalogs, const Schema& declared, Dialect::Kind kind) {
  Schema before;
  for (const auto& table : catalogs.live.tables) {
    const Words words(find_named(catalogs.declared.tables, table.name), find_named(declared.tables, table.name), kind);
    before.tables.push_back(words.translate(table));
  }
  // SQLite has none: there they are as declared.
  before.functions = kind == Dialect::Kind::postgresql ? catalogs.live.functions : declared.functions;
  return before;
}

}  // namespace call_service::db
