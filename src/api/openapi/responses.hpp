#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/route.hpp"
#include "wire/object_text.hpp"

namespace call_service::api::openapi {

// OpenAPI's description of what a route may answer. Error responses that many routes share are written once, among the
// components.
class Responses {
 public:
  // The `responses` of one operation.
  std::string of(const Route& route, const HandlerTypes& types);

  // The components that these refer to.
  std::string responses() const { return components_.str(); }
  static std::string headers();

 private:
  std::string reference(const std::vector<ErrorCode>& codes, const std::string& name);

  wire::ObjectText components_;
  std::set<std::string> known_;
};

}  // namespace call_service::api::openapi
