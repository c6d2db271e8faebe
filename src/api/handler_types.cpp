#include "api/handler_types.hpp"

#include "schemas/members.hpp"

namespace call_service::api {

void HandlerTypes::add_parameter(std::string_view name, std::string_view place, bool required,
                                 const std::string& schema, const wire::Rules& rules) {
  wire::ObjectText parameter;
  parameter.text("name", name).text("in", place).flag("required", required);
  if (!rules.description.empty()) parameter.text("description", rules.description);
  parameter.json("schema", schema);
  if (!rules.example.empty()) parameter.json("example", rules.example);
  parameters.json(parameter.str());
  has_parameters = true;
}

void Describe<CallId>::add_to(HandlerTypes& types) {
  const auto& rules = schemas::members::call_id;
  types.add_parameter("call_id", "path", true, parameter_schema<Uuid>(types, rules), rules);
}

void Describe<UserId>::add_to(HandlerTypes& types) {
  const auto& rules = schemas::user_id;
  types.add_parameter("user_id", "path", true, parameter_schema<std::string>(types, rules), rules);
}

}  // namespace call_service::api
