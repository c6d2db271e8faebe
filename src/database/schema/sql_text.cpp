#include "database/schema/sql_text.hpp"

#include <algorithm>
#include <cctype>

#include "database/dialect.hpp"

namespace call_service::db {

namespace {

constexpr std::string_view operator_characters = "<>=!|:&+-*/%~";

// Bytes of UTF-8 beyond ASCII belong to words.
bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || c == '$' || byte >= 0x80;
}

bool is_plain_identifier(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::ranges::all_of(text, [](char c) { return is_word(c) && c != '$'; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Reads one token after the other; each step takes it off the rest.
class Lexer {
 public:
  explicit Lexer(std::string_view sql) : all_(sql), rest_(sql) {}

  std::vector<SqlToken> run() {
    std::vector<SqlToken> tokens;
    while (skip_blank()) {
      const std::size_t begin = all_.size() - rest_.size();
      tokens.push_back({next(), begin});
    }
    return tokens;
  }

 private:
  std::string_view take(std::size_t length) {
    const auto taken = rest_.substr(0, length);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::size_t past(std::string_view end, std::size_t from) const {
    const auto at = rest_.find(end, from);
    return at == std::string_view::npos ? rest_.size() : at + end.size();
  }

  // White space and comments; false at the end.
  bool skip_blank() {
    while (!rest_.empty()) {
      if (std::isspace(static_cast<unsigned char>(rest_.front())) != 0) {
        take(1);
      } else if (rest_.starts_with("--")) {
        take(past("\n", 2));
      } else if (rest_.starts_with("/*")) {
        take(past("*/", 2));
      } else {
        return true;
      }
    }
    return false;
  }

  // A doubled quote stands for itself.
  std::string_view take_quoted(char quote) {
    std::size_t at = 1;
    while (at < rest_.size()) {
      if (rest_[at] != quote) {
        ++at;
      } else if (at + 1 < rest_.size() && rest_[at + 1] == quote) {
        at += 2;
      } else {
        return take(at + 1);
      }
    }
    return take(rest_.size());
  }

  std::string take_identifier(char quote) {
    const auto quoted = take_quoted(quote);
    const auto name = quoted.size() < 2 ? quoted : quoted.substr(1, quoted.size() - 2);
    return is_plain_identifier(name) ? lower(name) : std::string(quoted);
  }

  std::size_t length_while(auto belongs) const {
    return static_cast<std::size_t>(std::ranges::find_if_not(rest_, belongs) - rest_.begin());
  }

  std::string next() {
    const char c = rest_.front();
    if (c == '\'') return std::string(take_quoted(c));
    if (c == '"' || c == '`') return take_identifier(c);
    if (c == '$') {
      const auto tag = rest_.substr(0, rest_.find('$', 1) + 1);
      if (tag.size() > 1) return std::string(take(past(tag, tag.size())));
    }
    if (is_word(c)) return lower(take(length_while(is_word)));
    const auto operators =
        length_while([](char each) { return operator_characters.find(each) != std::string_view::npos; });
    return std::string(take(std::max<std::size_t>(operators, 1)));
  }

  std::string_view all_;
  std::string_view rest_;
};

bool sticks_to_former(const std::string& text) {
  return text == "," || text == ")" || text == ";" || text == ".";
}

}  // namespace

std::string sql_name(std::string_view name) {
  return is_plain_identifier(name) ? lower(name) : quote_identifier(name);
}

std::vector<SqlToken> sql_tokens(std::string_view sql) {
  return Lexer(sql).run();
}

std::size_t closing_parenthesis(std::span<const SqlToken> tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    if (tokens[i].text == "(") ++depth;
    if (tokens[i].text == ")" && --depth == 0) return i;
  }
  return tokens.size();
}

std::string sql_of(std::span<const SqlToken> tokens) {
  std::string out;
  std::string_view former = "(";
  for (const auto& token : tokens) {
    if (former != "(" && former != "." && !sticks_to_former(token.text)) out += ' ';
    out += token.text;
    former = token.text;
  }
  return out;
}

std::string normalised_sql(std::string_view sql) {
  return sql_of(sql_tokens(sql));
}

std::vector<std::string> split_statements(std::string_view script) {
  std::vector<std::string> statements;
  std::size_t begin = std::string_view::npos;
  for (const auto& token : sql_tokens(script)) {
    if (token.text != ";") {
      begin = std::min(begin, token.begin);
    } else if (begin != std::string_view::npos) {
      statements.emplace_back(script.substr(begin, token.begin - begin));
      begin = std::string_view::npos;
    }
  }
  if (begin != std::string_view::npos) statements.emplace_back(script.substr(begin));
  return statements;
}

}  // namespace call_service::db
