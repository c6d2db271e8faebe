#pragma once

#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "database/command.hpp"

// What the claims of waiting work share: rows that are due at a time, and that one process at a time is at, by a lease.
namespace call_service::repositories {

// Nobody sets a time further ahead than these.
inline constexpr Seconds longest_lease{5};
inline constexpr Seconds longest_pause{30};
inline constexpr int early_attempts = 4;  // after no more attempts than these, and after none
inline constexpr Seconds longest_early_pause{5};

// A time further ahead than that, by more than clocks may differ, is of a clock that was ahead. To wait until it has
// come would be to wait for as long as the clock was wrong.
inline constexpr Seconds clock_tolerance{1};

// Input of a claim: its columns, and its one row.
std::vector<db::Column> claim_columns();
db::Row claim_row(Uuid owner, Timestamp now, Timestamp lease_until, int limit);

// The condition on a row `d` of a table with due_at, attempts and lease_until.
inline constexpr std::string_view is_claimable =
    R"((d.due_at <= (SELECT now FROM input)
              OR d.due_at > (SELECT CASE WHEN d.attempts <= i.early_attempts THEN i.latest_early ELSE i.latest END FROM input i))
             AND (d.lease_until IS NULL OR d.lease_until <= (SELECT now FROM input)
                  OR d.lease_until > (SELECT latest_lease FROM input)))";

}  // namespace call_service::repositories
