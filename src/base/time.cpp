#include "base/time.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace call_service {
namespace {

constexpr Timestamp first_moment = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
constexpr Timestamp last_moment = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} - Milliseconds{1};

void put_digits(char* at, unsigned value, std::size_t count) {
  for (std::size_t i = count; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

// Takes fixed-width numbers and single characters off the front of a text; remembers the first failure.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  unsigned number(std::size_t width) {
    if (rest_.size() < width) return reject();
    unsigned value = 0;
    for (char c : rest_.substr(0, width)) {
      if (c < '0' || c > '9') return reject();
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    rest_.remove_prefix(width);
    return value;
  }

  void expect(char upper, char lower) {
    if (!accept(upper) && !accept(lower)) reject();
  }

  bool accept(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // The digits of a fraction of a second, cut to milliseconds.
  unsigned milliseconds() {
    const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (digits == 0 || digits > 9) return reject();
    unsigned value = 0;
    for (std::size_t i = 0; i < 3; ++i) value = value * 10 + (i < digits ? static_cast<unsigned>(rest_[i] - '0') : 0);
    rest_.remove_prefix(digits);
    return value;
  }

  unsigned reject() {
    failed_ = true;
    return 0;
  }

  bool done() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::chrono::minutes scan_offset(Scanner& scanner) {
  if (scanner.accept('Z') || scanner.accept('z')) return {};
  const bool east = scanner.accept('+');
  if (!east && !scanner.accept('-')) scanner.reject();
  const unsigned hours = scanner.number(2);
  scanner.expect(':', ':');
  const unsigned minutes = scanner.number(2);
  if (hours > 23 || minutes > 59) scanner.reject();
  const std::chrono::minutes offset{hours * 60 + minutes};
  return east ? offset : -offset;
}

}  // namespace

void append_timestamp(std::string& out, Timestamp at) {
  at = std::clamp(at, first_moment, last_moment);
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const auto millisecond = static_cast<unsigned>((at - day).count());
  std::array<char, 24> text{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                            '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'};
  put_digits(&text[0], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_digits(&text[5], static_cast<unsigned>(date.month()), 2);
  put_digits(&text[8], static_cast<unsigned>(date.day()), 2);
  put_digits(&text[11], millisecond / 3'600'000, 2);
  put_digits(&text[14], millisecond / 60'000 % 60, 2);
  put_digits(&text[17], millisecond / 1'000 % 60, 2);
  put_digits(&text[20], millisecond % 1'000, 3);
  out.append(text.data(), text.size());
}

std::string format_timestamp(Timestamp at) {
  std::string text;
  text.reserve(24);
  append_timestamp(text, at);
  return text;
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  Scanner scanner(text);
  const std::chrono::year year{static_cast<int>(scanner.number(4))};
  scanner.expect('-', '-');
  const std::chrono::month month{scanner.number(2)};
  scanner.expect('-', '-');
  const std::chrono::day day{scanner.number(2)};
  scanner.expect('T', 't');
  const std::chrono::hours hours{scanner.number(2)};
  scanner.expect(':', ':');
  const std::chrono::minutes minutes{scanner.number(2)};
  scanner.expect(':', ':');
  const std::chrono::seconds seconds{scanner.number(2)};
  const Milliseconds fraction{scanner.accept('.') ? scanner.milliseconds() : 0};
  const std::chrono::minutes offset = scan_offset(scanner);

  const std::chrono::year_month_day date = year / month / day;
  if (!scanner.done() || !date.ok()) return std::nullopt;
  if (hours.count() > 23 || minutes.count() > 59 || seconds.count() > 59) return std::nullopt;
  const Timestamp at = std::chrono::sys_days{date} + hours + minutes + seconds + fraction - offset;
  if (at < first_moment || at > last_moment) return std::nullopt;
  return at;
}

Timestamp SystemClock::now() const {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

}  // namespace call_service
