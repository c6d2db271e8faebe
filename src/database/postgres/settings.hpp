#pragma once

#include "database/command.hpp"

namespace call_service::db::postgres {

// Said in each transaction, because behind a pooler nothing else is sure to hold. Every statement looks its rows up by
// index, for a handful of calls; so its plan is made once, not for each batch, and does not depend on how large the
// tables were at that moment.
// Input: how many milliseconds to wait for a row that others hold, as text.
const Statement& settings();

}  // namespace call_service::db::postgres
