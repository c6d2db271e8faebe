#include "config_readers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>
#include <utility>

#include "base/text.hpp"
#include "database/url.hpp"
#include "http/client.hpp"

namespace call_service::config_readers {
namespace {

using Remedy = std::unexpected<std::string>;

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> out;
  for (const auto part : std::views::split(text, ',')) out.push_back(trim(std::string_view(part)));
  return out;
}

bool consists_of(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.contains(c);
  });
}

struct Url {
  std::string_view scheme;
  std::string_view host;  // with the brackets of an IPv6 address
  std::string_view port;
  std::string_view rest;  // what follows, from the "/", "?" or "#"
};

bool is_host(std::string_view host) {
  if (host.starts_with('[')) return host.size() > 2 && host.ends_with(']') && consists_of(host, "[]:.%");
  return !host.empty() && consists_of(host, ".-_");
}

// Takes scheme://host[:port][rest] apart; nothing if it has not that form.
std::optional<Url> parse_url(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  Url url{.scheme = text.substr(0, colon), .host = {}, .port = {}, .rest = {}};
  std::string_view authority = text.substr(colon + 3);
  const auto end = std::min(authority.find_first_of("/?#"), authority.size());
  url.rest = authority.substr(end);
  authority = authority.substr(0, end);
  const auto port = authority.rfind(':');
  if (port != std::string_view::npos && authority.find(']', port) == std::string_view::npos) {
    url.port = authority.substr(port + 1);
    authority = authority.substr(0, port);
    if (!integer(url.port, 1, 65'535)) return std::nullopt;
  }
  url.host = authority;
  if (!consists_of(url.scheme, "+-.") || !is_host(url.host)) return std::nullopt;
  return url;
}

struct Pair {
  std::string name;
  std::string secret;
};

Read<Pair> read_pair(std::string_view entry, std::size_t number) {
  const std::string which = "entry " + std::to_string(number) + " ";
  const auto colon = entry.find(':');
  if (colon == std::string_view::npos) return Remedy(which + "must have the form name:key");
  const auto name = key_name(entry.substr(0, colon));
  if (!name) return Remedy(which + "must begin with a name: " + name.error());
  const auto key = secret(entry.substr(colon + 1));
  if (!key) return Remedy(which + "has a key that " + key.error());
  return Pair{*name, *key};
}

Read<std::vector<Pair>> read_pairs(std::string_view text) {
  std::vector<Pair> pairs;
  std::string remedies;
  std::size_t number = 0;
  for (std::string_view entry : split_list(text)) {
    auto pair = read_pair(entry, ++number);
    if (pair) {
      pairs.push_back(std::move(*pair));
    } else {
      remedies.append(remedies.empty() ? "" : "\n").append(pair.error());
    }
  }
  if (!remedies.empty()) return Remedy(std::move(remedies));
  return pairs;
}

Read<std::string> read_sqlite_url(std::string_view path) {
  if (!path.starts_with('/')) return Remedy("must be sqlite:///relative/path or sqlite:////absolute/path");
  path.remove_prefix(1);
  if (path.contains(":memory:") || path.empty()) {
    return Remedy("must name a file, because what is in memory is lost: sqlite:///call-service.db");
  }
  if (path.find_first_of("?#") != std::string_view::npos) return Remedy("must not have parameters with SQLite");
  return "sqlite:///" + std::string(path);
}

// libpq's word counts for the form of a URL, but its message would repeat what it stumbled on: a piece of a password,
// where one is not percent-encoded. So would the resolver's of a host with the rest of it behind an '@'.
Read<std::string> read_postgresql_url(std::string_view rest) {
  std::string url = "postgresql://" + std::string(rest);
  const auto at = rest.find_first_of("@/");
  if (at != std::string_view::npos && rest[at] == '@') rest.remove_prefix(at + 1);
  const bool has_other_at = rest.substr(0, rest.find('?')).contains('@');
  const auto split = db::split_postgresql_url(url);
  if (!split) return Remedy("must have prepared=true or prepared=false, and only once");
  if (has_other_at || url.contains(' ') || !db::is_postgresql_url(split->libpq)) {
    return Remedy(
        "must be postgresql://user:password@host:port/name?option=value, with special characters percent-encoded "
        "(@ as %40, / as %2F, % as %25)");
  }
  return url;
}

Read<std::string> read_origin(std::string_view text) {
  const std::string lower = to_lower(text);
  const auto url = parse_url(lower);
  if (!url || !url->rest.empty()) {
    return Remedy("must be origins as browsers send them, without a path, for example https://app.example.com, or *");
  }
  const bool is_default_port =
      (url->scheme == "https" && url->port == "443") || (url->scheme == "http" && url->port == "80");
  std::string origin = std::string(url->scheme).append("://").append(url->host);
  if (!url->port.empty() && !is_default_port) origin.append(":").append(url->port);
  return origin;
}

}  // namespace

Read<std::int64_t> integer(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return Remedy("must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

Read<bool> truth(std::string_view text) {
  const std::string lower = to_lower(text);
  for (std::string_view yes : {"true", "1", "yes", "on"}) {
    if (lower == yes) return true;
  }
  for (std::string_view no : {"false", "0", "no", "off"}) {
    if (lower == no) return false;
  }
  return Remedy("must be true or false");
}

Read<std::string> database_url(std::string_view text) {
  const auto colon = text.find("://");
  const std::string_view scheme = colon == std::string_view::npos ? "" : text.substr(0, colon);
  const std::string_view dialect = scheme.substr(0, scheme.find('+'));
  if (dialect == "sqlite") return read_sqlite_url(text.substr(colon + 3));
  if (dialect != "postgresql" && dialect != "postgres") {
    return Remedy("must be postgresql://user:password@host/name or sqlite:///call-service.db");
  }
  return read_postgresql_url(text.substr(colon + 3));
}

Read<std::string> database_schema(std::string_view text) {
  if (text.empty() || text.size() > 63 || text.starts_with("pg_")) {
    return Remedy("must have 1 to 63 bytes and not begin with pg_, which PostgreSQL keeps for itself");
  }
  return std::string(text);
}

Read<std::string> livekit_url(std::string_view text) {
  const auto url = parse_url(text);
  constexpr std::array<std::string_view, 4> schemes{"ws", "wss", "http", "https"};
  const bool known = url && std::ranges::find(schemes, url->scheme) != schemes.end();
  if (!known || !http::Origin::parse(text)) {
    return Remedy("must be ws://, wss://, http:// or https:// with a host, for example wss://livekit.example.com");
  }
  return std::string(text);
}

Read<std::string> jwks_url(std::string_view text) {
  if (!http::Location::parse(text) && !http::file_path_of(text)) {
    return Remedy(
        "must be https://, http:// or file:///path, without user and password, for example "
        "https://login.example.com/.well-known/jwks.json");
  }
  return std::string(text);
}

Read<std::string> host(std::string_view text) {
  if (!consists_of(text, ".-_:%[]")) return Remedy("must be an address or a host name, for example 0.0.0.0 or ::");
  return std::string(text);
}

Read<std::string> secret(std::string_view text) {
  if (count_code_points(text) < min_secret_length) {
    return Remedy("must have at least 32 characters; make one with: openssl rand -hex 32");
  }
  return std::string(text);
}

Read<std::string> key_name(std::string_view text) {
  const std::size_t length = count_code_points(text);
  if (length < 1 || length > 128 || has_outer_white_space(text)) {
    return Remedy("must have 1 to 128 characters, no white space at either end");
  }
  return std::string(text);
}

Read<std::vector<ServiceKey>> service_keys(std::string_view text) {
  auto pairs = read_pairs(text);
  if (!pairs) return Remedy(std::move(pairs.error()));
  std::vector<ServiceKey> keys;
  for (Pair& pair : *pairs) {
    if (!std::ranges::all_of(pair.secret, [](char c) { return c > 0x20 && c < 0x7F; })) {
      return Remedy("must have keys of printable ASCII without spaces, since they travel in a header");
    }
    const auto has_other_name = [&](const ServiceKey& key) { return key.key == pair.secret && key.name != pair.name; };
    if (std::ranges::any_of(keys, has_other_name)) return Remedy("must not give one key two names");
    keys.push_back({std::move(pair.name), std::move(pair.secret)});
  }
  return keys;
}

Read<std::vector<SigningPair>> signing_pairs(std::string_view text) {
  auto pairs = read_pairs(text);
  if (!pairs) return Remedy(std::move(pairs.error()));
  std::vector<SigningPair> out;
  for (Pair& pair : *pairs) out.push_back({std::move(pair.name), std::move(pair.secret)});
  return out;
}

Read<std::vector<std::string>> origins(std::string_view text) {
  if (trim(text) == "*") return std::vector<std::string>{"*"};
  std::vector<std::string> out;
  for (std::string_view entry : split_list(text)) {
    if (entry == "*") return Remedy("must be * alone or a list of origins, not both");
    auto origin = read_origin(entry);
    if (!origin) return Remedy(std::move(origin.error()));
    out.push_back(std::move(*origin));
  }
  return out;
}

Read<log::Level> log_level(std::string_view text) {
  const std::string lower = to_lower(text);
  if (lower == "debug") return log::Level::debug;
  if (lower == "info") return log::Level::info;
  if (lower == "warning" || lower == "warn") return log::Level::warning;
  if (lower == "error") return log::Level::error;
  return Remedy("must be debug, info, warning or error");
}

Read<log::Format> log_format(std::string_view text) {
  const std::string lower = to_lower(text);
  if (lower == "json") return log::Format::json;
  if (lower == "text") return log::Format::text;
  return Remedy("must be json or text");
}

std::string to_websocket(std::string_view url) {
  if (url.starts_with("http")) return "ws" + std::string(url.substr(4));
  return std::string(url);
}

std::string_view host_of(std::string_view text) {
  const auto url = parse_url(text);
  std::string_view host = url ? url->host : std::string_view{};
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return host;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.") || host.ends_with(".localhost");
}

}  // namespace call_service::config_readers
