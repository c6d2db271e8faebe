#include "environment_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <utility>

namespace call_service {

namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string_view unquote(std::string_view value) {
  const bool is_quoted =
      value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

bool is_name(std::string_view text) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

std::expected<Environment, std::string> read_environment_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::unexpected(path + ": " + std::strerror(errno));
  std::map<std::string, std::string, std::less<>> variables;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string_view text = trim(line);
    if (text.empty() || text.starts_with('#') || text.starts_with(';')) continue;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !is_name(trim(text.substr(0, equals)))) {
      return std::unexpected(path + ":" + std::to_string(number) + ": must be NAME=value");
    }
    variables[std::string(trim(text.substr(0, equals)))] = unquote(trim(text.substr(equals + 1)));
  }
  return [variables = std::move(variables),
          process = process_environment()](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? process(name) : std::optional(found->second);
  };
}

}  // namespace call_service
