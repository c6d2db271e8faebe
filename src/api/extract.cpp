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

std::optional<Uuid> call_in_path(const Context& context) {
  const bool has_call = contains(context.path_parameters, "call_id", &std::pair<std::string_view, std::string>::first);
  return has_call ? Uuid::parse(path_parameter(context, "call_id")) : std::nullopt;
}

UserId Extract<UserId>::from(Context& context, Faults& faults) {
  const std::string& text = path_parameter(context, "user_id");
  const auto fault = schemas::check_user_id(text);
  if (fault) {
    faults.add(Fault{.pointer = {}, .parameter = "user_id", .code = fault->code, .detail = std::string(fault->detail)});
  }
  return {text};
}

FileName Extract<FileName>::from(Context& context, Faults&) {
  return {path_parameter(context, "file")};
}

}  // namespace call_service::api
