#pragma once

#include <string_view>

#include "database/models/call.hpp"
#include "database/models/columns.hpp"

// What the guarded commands share. Each locks the call's row, and every later statement repeats the condition, so a
// refusal is the absence of a row.
namespace call_service::repositories {

// The calls of the input `i`, as `c`.
inline constexpr std::string_view from_calls = " FROM input i JOIN {by_key:calls:c} c.call_id = i.call_id {key:c} ";

// Of the rows with a call's columns behind its key: whether there is one, and the call goes on. If not, start, join and
// end have nothing left to do.
inline bool is_active(const db::Rows& calls) {
  static const std::size_t status = 1 + db::column_index<models::Call>("status");
  return !calls.empty() && std::get<std::string>(calls.front()[status]) == name_of(models::CallStatus::active);
}

}  // namespace call_service::repositories
