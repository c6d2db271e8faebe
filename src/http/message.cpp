#include "http/message.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.hpp"
#include "http/text.hpp"

namespace call_service::http {
namespace {

constexpr std::array<std::pair<Method, std::string_view>, 7> method_names{{
    {Method::get, "GET"},
    {Method::head, "HEAD"},
    {Method::post, "POST"},
    {Method::put, "PUT"},
    {Method::patch, "PATCH"},
    {Method::delete_, "DELETE"},
    {Method::options, "OPTIONS"},
}};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string_view name_of(Method method) {
  for (const auto& [value, name] : method_names) {
    if (value == method) return name;
  }
  return "";
}

Method method_named(std::string_view name) {
  for (const auto& [value, known] : method_names) {
    if (known == name) return value;
  }
  return Method::other;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t begin = out.size();
  out.append(name).append(": ").append(value);
  for (char& c : std::span(out).subspan(begin)) c = c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  out += "\r\n";
}

const std::string* Request::header(std::string_view name) const {
  const auto found = std::ranges::find_if(headers, [&](const Header& h) { return equal_ignoring_case(h.first, name); });
  return found == headers.end() ? nullptr : &found->second;
}

std::size_t Request::header_count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(headers, [&](const Header& h) { return equal_ignoring_case(h.first, name); }));
}

namespace {

bool form_decode(std::string encoded, std::string& decoded) {
  std::ranges::replace(encoded, '+', ' ');
  return percent_decode(encoded, decoded);
}

}  // namespace

std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty()) continue;
    const auto mark = std::min(piece.find('='), piece.size());
    auto& [name, value] = parameters.emplace_back();
    if (!form_decode(std::string(piece.substr(0, mark)), name)) return std::nullopt;
    if (!form_decode(std::string(piece.substr(std::min(mark + 1, piece.size()))), value)) return std::nullopt;
  }
  return parameters;
}

bool percent_decode(std::string_view encoded, std::string& decoded) {
  decoded.clear();
  while (true) {
    const std::string_view plain = encoded.substr(0, encoded.find('%'));
    decoded += plain;
    encoded.remove_prefix(plain.size());
    if (encoded.empty()) return is_utf8(decoded);
    if (encoded.size() < 3) return false;
    const int high = hex_value(encoded[1]);
    const int low = hex_value(encoded[2]);
    if (high < 0 || low < 0) return false;
    decoded += static_cast<char>(high * 16 + low);
    encoded.remove_prefix(3);
  }
}

}  // namespace call_service::http
