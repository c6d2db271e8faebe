#include "api/access_log.hpp"

#include <algorithm>
#include <cmath>

#include "log.hpp"
#include "schemas/text_rules.hpp"

namespace call_service::api {

namespace {

constexpr std::size_t shortest_redacted = 24;

std::string_view parameter_of(const Context& context, std::string_view name) {
  for (const auto& [known, value] : context.path_parameters) {
    if (known == name) return value;
  }
  return {};
}

std::string_view call_id_of(const Context& context) {
  const std::string_view text = parameter_of(context, "call_id");
  return Uuid::parse(text) ? text : std::string_view();
}

// A JWT in its place is nobody's id.
std::string_view user_id_of(const Context& context) {
  const std::string_view text = parameter_of(context, "user_id");
  const bool is_token = text.starts_with("eyJ");
  return !is_token && !text.empty() && schemas::is_user_id(std::string(text)) ? text : std::string_view();
}

std::string_view type_of(const std::optional<services::Caller>& caller) {
  if (!caller) return {};
  return caller->is_service() ? "service" : "user";
}

}  // namespace

std::string loggable_path(std::string_view path) {
  std::string shown;
  while (!path.empty()) {
    const auto end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    const bool secret = segment.size() > shortest_redacted && !Uuid::parse(segment.substr(1));
    shown += secret ? std::string_view("/[redacted]") : segment;
    path.remove_prefix(end);
  }
  return shown;
}

void log_access(const Context& context, const http::Response& response, const Outcome& outcome) {
  const auto level = response.status == 500 ? log::Level::error : log::Level::info;
  if (!log::enabled(level)) return;
  const double took_ms = std::round(outcome.took.count() * 1e6) / 1e3;
  log::write(level, "request", context.origin,
             {{"method", http::name_of(context.request.method)},
              {"route", outcome.route},
              {"path", loggable_path(context.request.path)},
              {"call_id", call_id_of(context)},
              {"user_id", user_id_of(context)},
              {"status", response.status},
              {"code", context.code ? name_of(*context.code) : std::string_view()},
              {"duration_ms", took_ms},
              {"caller", context.caller ? std::string_view(context.caller->id) : std::string_view()},
              {"caller_type", type_of(context.caller)},
              {"cause", outcome.cause},
              {"sent", outcome.sent}});
}

}  // namespace call_service::api
