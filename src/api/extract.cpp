#include "api/extract.hpp"

#include <algorithm>

namespace call_service::api {

namespace {

const std::string& path_parameter(const Context& context, std::string_view name) {
  const auto found = std::ranges::find(context.path_parameters, name, &std::pair<std::string_view, std::string>::first);
  return found->second;
}

}  // namespace

CallId Extract<CallId>::from(Context& context, Faults& faults) {
  if (const auto id = Uuid::parse(path_parameter(context, "call_id"))) return {*id};
  faults.add(Fault{.pointer = {}, .parameter = "call_id", .code = "format", .detail = "must be a UUID"});
  return {};
}

UserId Extract<UserId>::from(Context& context, Faults& faults) {
  const std::string& text = path_parameter(context, "user_id");
  const auto fault = schemas::check_user_id(text);
  if (fault) {
    faults.add(Fault{.pointer = {}, .parameter = "user_id", .code = fault->code, .detail = std::string(fault->detail)});
  }
  return {text};
}

}  // namespace call_service::api
