#pragma once

#include <string_view>
#include <vector>

#include "database/schema/table_schema.hpp"

namespace call_service::models {

// What the databases do by themselves, as migrations have written it: texts for both, compared like the tables.
std::vector<db::TriggerSchema> triggers_of(std::string_view table);
std::vector<db::FunctionSchema> trigger_functions();

}  // namespace call_service::models
