#pragma once

#include <string>

namespace call_service::api {

// The API as OpenAPI 3.1, from the route table, the handlers' types and the table of errors. Made at the first call;
// safe on any thread.
const std::string& openapi_document();

}  // namespace call_service::api
