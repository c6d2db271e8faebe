#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace call_service::fake_livekit {

// Repeatable randomness: the same seed gives the same sequence. Not for secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // `prefix` and so many letters and digits.
  std::string word(std::string_view prefix, std::size_t length = 12) {
    static constexpr std::string_view alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    std::string word(prefix);
    for (std::size_t i = 0; i < length; ++i) word += alphabet[engine_() % alphabet.size()];
    return word;
  }

  // True in so many of a hundred cases. A certain outcome uses up no randomness.
  bool chance(int percent) {
    return percent >= 100 || (percent > 0 && engine_() % 100 < static_cast<std::uint64_t>(percent));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace call_service::fake_livekit
