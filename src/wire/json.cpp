#include "wire/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/text.hpp"
#include "wire/json_builder.hpp"
#include "wire/write.hpp"

namespace call_service::wire {
namespace {

std::unexpected<Error> malformed(std::string_view what, std::size_t offset) {
  std::string detail = "The body is not valid JSON: ";
  detail.append(what).append(" at byte ").append(std::to_string(offset)).append(".");
  return fail(ErrorCode::malformed_json, std::move(detail));
}

std::unexpected<Error> explain(const JsonBuilder& builder, const boost::json::error_code& error, std::size_t offset) {
  if (const auto& key = builder.duplicate_key()) {
    return malformed("the key " + quote(*key) + " is there twice, in the object that ends", offset);
  }
  if (error == boost::json::error::too_deep) return malformed("nested deeper than 32", offset);
  if (error == boost::json::error::incomplete) return malformed("unexpected end", offset);
  return malformed(error.message(), offset);
}

// Where the number whose digits begin at `begin` ends.
std::size_t end_of_digits(std::string_view text, std::size_t begin) {
  return std::min(text.find_first_not_of("0123456789", begin), text.size());
}

// Boost.JSON refuses exponents that its integers do not hold, though the text is JSON. This is the same text, as long,
// with exponents that are as good: beyond what any number of digits before them could make up for.
std::string with_smaller_exponents(std::string_view text) {
  constexpr std::string_view enough = "999999";
  std::string changed(text);
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && (text[i] == 'e' || text[i] == 'E')) {
      const std::size_t begin =
          i + (text.substr(i + 1).starts_with('+') || text.substr(i + 1).starts_with('-') ? 2 : 1);
      const std::size_t end = end_of_digits(text, begin);
      const std::size_t first = std::min(text.find_first_not_of('0', begin), end);
      if (end - first <= enough.size()) continue;
      std::ranges::fill(changed.begin() + first, changed.begin() + end, '0');
      changed.replace(end - enough.size(), enough.size(), enough);
    }
  }
  return changed;
}

}  // namespace

Result<JsonDocument> JsonDocument::parse(std::string_view text) {
  if (const std::size_t offset = find_invalid_utf8(text); offset != std::string_view::npos) {
    return malformed("not UTF-8", offset);
  }
  return parse_utf8(text);
}

Result<JsonDocument> JsonDocument::parse_utf8(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  boost::json::basic_parser<JsonBuilder> parser(options, text.size());
  boost::json::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error == boost::json::error::exponent_overflow) {
    if (const auto changed = with_smaller_exponents(text); changed != text) return parse_utf8(changed);
  }
  if (error) return explain(parser.handler(), error, read);
  if (read < text.size()) return malformed("text after the value", read);
  return parser.handler().take_document();
}

JsonKind JsonView::kind() const {
  return document_->nodes_[index_].kind;
}

std::string_view JsonView::text() const {
  const JsonDocument::Node& node = document_->nodes_[index_];
  return std::string_view(document_->characters_).substr(node.begin, node.size);
}

bool JsonView::boolean() const {
  return document_->nodes_[index_].truth;
}

std::uint32_t JsonView::after() const {
  return document_->nodes_[index_].after;
}

double JsonView::number() const {
  const std::string digits(text());
  return std::strtod(digits.c_str(), nullptr);
}

bool JsonView::is_whole() const {
  const std::string_view digits = text();
  if (digits.find_first_of(".eE") == std::string_view::npos) return true;
  const double value = number();
  return std::isinf(value) || value == std::trunc(value);
}

std::optional<std::int64_t> JsonView::integer() const {
  const std::string_view digits = text();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc{} && end == digits.data() + digits.size()) return value;
  if (digits.find_first_of(".eE") == std::string_view::npos || !is_whole()) return std::nullopt;
  const double approximate = number();
  constexpr double limit = 9223372036854775808.0;
  if (!(approximate >= -limit && approximate < limit)) return std::nullopt;
  return static_cast<std::int64_t>(approximate);
}

std::size_t JsonView::size() const {
  std::size_t count = 0;
  if (kind() == JsonKind::array) for_each_element([&](JsonView) { ++count; });
  if (kind() == JsonKind::object) for_each_member([&](std::string_view, JsonView) { ++count; });
  return count;
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
  for (std::uint32_t at = index_ + 1; at < after(); at = child(at + 1).after()) {
    if (child(at).text() == key) return child(at + 1);
  }
  return std::nullopt;
}

void JsonView::append_to(std::string& out) const {
  bool first = true;
  const auto separate = [&] {
    if (!std::exchange(first, false)) out += ',';
  };
  switch (kind()) {
    case JsonKind::null:
      out += "null";
      break;
    case JsonKind::boolean:
      out += boolean() ? "true" : "false";
      break;
    case JsonKind::number:
      out += text();
      break;
    case JsonKind::string:
      append_plain_string(out, text());
      break;
    case JsonKind::array:
      out += '[';
      for_each_element([&](JsonView element) {
        separate();
        element.append_to(out);
      });
      out += ']';
      break;
    case JsonKind::object:
      out += '{';
      for_each_member([&](std::string_view key, JsonView value) {
        separate();
        append_plain_string(out, key);
        out += ':';
        value.append_to(out);
      });
      out += '}';
      break;
  }
}

}  // namespace call_service::wire
