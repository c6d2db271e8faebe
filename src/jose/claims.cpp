#include "jose/claims.hpp"

#include <cmath>
#include <utility>

namespace call_service::jose {

std::optional<wire::JsonDocument> parse_object(std::string_view json) {
  auto document = wire::JsonDocument::parse(json);
  if (!document || document->root().kind() != wire::JsonKind::object) {
    return std::nullopt;
  }
  return std::move(*document);
}

bool has(const wire::JsonDocument& claims, std::string_view name) {
  return claims.root().find(name).has_value();
}

std::optional<std::string_view> text_of(const wire::JsonDocument& claims, std::string_view name) {
  const auto value = claims.root().find(name);
  if (!value || value->kind() != wire::JsonKind::string) {
    return std::nullopt;
  }
  return value->text();
}

std::optional<NumericDate> date_of(const wire::JsonDocument& claims, std::string_view name) {
  const auto value = claims.root().find(name);
  if (!value || value->kind() != wire::JsonKind::number || !std::isfinite(value->number())) {
    return std::nullopt;
  }
  return value->number();
}

NumericDate to_numeric_date(Timestamp at) {
  return static_cast<double>(at.time_since_epoch().count()) / 1000.0;
}

}  // namespace call_service::jose
