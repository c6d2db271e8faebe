#pragma once

#include "database/schema/table_schema.hpp"

namespace call_service::models {

// All tables with everything that the databases keep of them; columns, types and NOT NULL come from the models. It is
// compared with databases (`migrate check`), and new migrations are written from the difference.
db::Schema schema();

}  // namespace call_service::models
