#pragma once

#include <string>
#include <string_view>

#include "database/command.hpp"

namespace call_service::db::sqlite {

// A statement's text with the parameters ?1 … in place of the columns `i.name` of its input, and without the relation
// `input i` where nothing needs it any more: what is the FROM of a SELECT by itself, or is joined to {by_key:…} or
// {lateral}. For SQLite, which runs a statement for one row of input at a time: it would put that row into a table of
// its own first, which costs more than most statements. For the same reason an UPDATE of a row that {by_key:…} has looked
// up becomes one that looks for it itself. What still speaks of `input` needs it to be defined.
std::string inlined_input(const Statement& statement);

// Whether a text still speaks of `input`.
bool needs_input(std::string_view sql);

}  // namespace call_service::db::sqlite
