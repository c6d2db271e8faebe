#include <algorithm>
#include <charconv>

#include "http/client.hpp"
#include "http/text.hpp"

namespace call_service::http {
namespace {

struct Scheme {
  std::string_view name;
  bool tls;
};
constexpr Scheme schemes[] = {{"http", false}, {"https", true}, {"ws", false}, {"wss", true}};

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && end == text.data() + text.size() && value >= 1 && value <= 65535;
}

bool is_plain(std::string_view url) {
  return std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7F && c != '\\'; });
}

// Splits "host", "host:port", "[v6]" or "[v6]:port".
bool split_authority(std::string_view authority, Origin& origin) {
  std::size_t colon = authority.find(':');
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    origin.host = authority.substr(1, close - 1);
    if (origin.host.find(':') == std::string::npos) return false;
    colon = close + 1 == authority.size() ? std::string_view::npos : close + 1;
    if (colon != std::string_view::npos && authority[colon] != ':') return false;
  } else {
    origin.host = authority.substr(0, colon);
  }
  origin.port =
      colon == std::string_view::npos ? std::string_view(origin.tls ? "443" : "80") : authority.substr(colon + 1);
  return !origin.host.empty() && is_port(origin.port);
}

}  // namespace

std::optional<Origin> Origin::parse(std::string_view url) {
  const std::size_t mark = url.find("://");
  if (mark == std::string_view::npos || !is_plain(url)) return std::nullopt;
  const auto scheme = std::ranges::find_if(
      schemes, [&](const Scheme& known) { return equal_ignoring_case(known.name, url.substr(0, mark)); });
  if (scheme == std::end(schemes)) return std::nullopt;
  const std::string_view rest = url.substr(mark + 3);
  if (rest.find_first_of("?#@") != std::string_view::npos) return std::nullopt;
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  Origin origin;
  origin.tls = scheme->tls;
  if (!split_authority(rest.substr(0, slash), origin)) return std::nullopt;
  origin.base_path = rest.substr(slash);
  while (origin.base_path.ends_with('/')) origin.base_path.pop_back();
  return origin;
}

std::optional<Location> Location::parse(std::string_view url) {
  if ((!url.starts_with("http://") && !url.starts_with("https://")) || !is_plain(url) || url.contains('#')) {
    return std::nullopt;
  }
  const std::size_t end = std::min(url.find_first_of("/?", url.find("://") + 3), url.size());
  auto origin = Origin::parse(url.substr(0, end));
  if (!origin) return std::nullopt;
  std::string target(url.substr(end));
  if (!target.starts_with('/')) target.insert(0, "/");
  return Location{.origin = std::move(*origin), .target = std::move(target)};
}

std::optional<std::string> file_path_of(std::string_view url) {
  constexpr std::string_view scheme = "file://";
  std::string path;
  if (!url.starts_with("file:///") || url.find_first_of("?#") != std::string_view::npos) return std::nullopt;
  if (!percent_decode(url.substr(scheme.size()), path) || path.size() < 2 || path.contains('\0')) return std::nullopt;
  return path;
}

}  // namespace call_service::http
