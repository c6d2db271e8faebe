#pragma once

#include <string_view>

namespace call_service::repositories {

// Who may read a call, as a condition on `c`, the call, and `i`, an input with a column `reader`: a service key (no
// reader), the caller, who is listed, and who has a session in it.
inline constexpr std::string_view may_read = R"((i.reader IS NULL OR c.caller_id = i.reader
  OR EXISTS (SELECT 1 FROM {call_users} u WHERE u.call_id = c.call_id AND u.user_id = i.reader {one_by_one})
  OR EXISTS (SELECT 1 FROM {sessions} s WHERE s.call_id = c.call_id AND s.user_id = i.reader {one_by_one})))";

}  // namespace call_service::repositories
