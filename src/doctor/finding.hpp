#pragma once

#include <chrono>
#include <exception>
#include <expected>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// What `call-service doctor` finds. Texts never contain a secret, a token or a password.
namespace call_service::doctor {

enum class Level { ok, warning, problem };

struct Finding {
  Level level = Level::ok;
  std::string area{};    // "database", "livekit", …
  std::string what{};    // what is so
  std::string remedy{};  // what to do; empty if nothing
};

using Findings = std::vector<Finding>;

inline constexpr std::chrono::seconds patience{5};

// Runs `work` on a thread of its own and waits for it, `patience` at most; nullopt: it takes longer and is abandoned.
// Name look-ups of libpq and of the system cannot be called back. So `work` must own all it uses. Throws
// std::runtime_error with the text of what `work` threw: an exception object itself would be destroyed by either
// thread.
template <typename T>
std::optional<T> in_time(std::function<T()> work) {
  using Outcome = std::expected<T, std::string>;
  const auto promise = std::make_shared<std::promise<Outcome>>();
  auto result = promise->get_future();
  std::thread([promise, work = std::move(work)] {
    try {
      promise->set_value(work());
    } catch (const std::exception& error) {
      promise->set_value(std::unexpected(std::string(error.what())));
    }
  }).detach();
  if (result.wait_for(patience) != std::future_status::ready) return std::nullopt;
  Outcome outcome = result.get();
  if (!outcome) throw std::runtime_error(outcome.error());
  return std::move(*outcome);
}

// A check that takes too long, or throws, has that as its finding.
Findings run_check(const std::string& area, std::function<Findings()> check);

}  // namespace call_service::doctor
