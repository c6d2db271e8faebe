#include "database/postgres/settings.hpp"

namespace call_service::db::postgres {

const Statement& settings() {
  static const Statement statement{
      .name = "settings",
      .input = {{"lock_timeout", Type::text}},
      .sql =
          "SELECT set_config('lock_timeout', i.lock_timeout, true), "
          "set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true), "
          "set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
          "set_config('enable_material', 'off', true), set_config('jit', 'off', true) FROM input i"};
  return statement;
}

}  // namespace call_service::db::postgres
