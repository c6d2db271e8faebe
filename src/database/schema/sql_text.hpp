#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

// Just enough of SQL's lexical structure to compare what people wrote: the words of a text without its white space,
// comments and letter case.
namespace call_service::db {

struct SqlToken {
  std::string text;       // words in lower case, plain identifiers without their quotes, strings as they are
  std::size_t begin = 0;  // where it stands in the text
};

// A name as a token has it: in quotes if it is not a plain identifier. For SQLite, where letter case does not matter.
std::string sql_name(std::string_view name);

std::vector<SqlToken> sql_tokens(std::string_view sql);

// The index of the `)` that closes the `(` at `open`; the number of tokens if none does.
std::size_t closing_parenthesis(std::span<const SqlToken> tokens, std::size_t open);

// The tokens as SQL again, in one spelling for all equal texts.
std::string sql_of(std::span<const SqlToken> tokens);
std::string normalised_sql(std::string_view sql);

// The statements of a script, without what ends them. Not for bodies of triggers.
std::vector<std::string> split_statements(std::string_view script);

}  // namespace call_service::db
