#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <map>
#include <sstream>
#include <string>

#include "call_history.hpp"
#include "call_reference.hpp"
#include "database/models/call.hpp"
#include "database/models/session.hpp"

// The property that order decides nothing, for whatever can play a history.
namespace call_service::history {

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CALL_SERVICE_SANITIZED
#endif
#endif

// Sanitizers make everything some ten times slower.
constexpr int histories_by_default() {
#ifdef CALL_SERVICE_SANITIZED
  return 1'000;
#else
  return 10'000;
#endif
}

// In the reference's words.
inline std::string facts_of(const models::Call& call, const std::vector<models::Session>& sessions, Timestamp start) {
  const auto since = [start](const std::optional<Timestamp>& time) {
    return time.transform([start](Timestamp at) { return static_cast<int>((at - start).count()); });
  };
  std::string text;
  if (call.is_active()) {
    text = call_line(call.closes_at ? "waits" : "active", since(call.closes_at));
  } else {
    text = call_line(*call.end_reason, since(call.ended_at));
  }
  std::map<std::string, std::string> stays;
  for (const auto& session : sessions) {
    if (!session.participant_sid) continue;
    const std::string reason = session.end_reason.value_or(std::string(name_of(session.status)));
    stays[*session.participant_sid] +=
        stay_line(session.user_id, *session.participant_sid, since(session.joined_at), since(session.left_at), reason);
  }
  for (const auto& [sid, line] : stays) text += line;
  return text;
}

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

inline int histories_to_try() {
  return static_cast<int>(from_environment("ORDER_HISTORIES", histories_by_default()));
}

// `play` takes a history and gives its facts. A history that fails is shrunk to the simplest that does.
template <typename Play>
void check(const std::string& property, int histories, Play play) {
  auto params = rc::detail::configuration().testParams;
  params.maxSuccess = histories;
  params.seed = from_environment("ORDER_SEED", 20'261'122);
  const auto result = rc::detail::checkTestable(
      [&] {
        const History drawn = *any_history();
        const std::string expected = reference(drawn);
        const std::string found = play(drawn);
        std::ostringstream told;
        told << drawn;
        if (found != expected) RC_FAIL("as told:\n" + told.str() + "found:\n" + found + "expected:\n" + expected);
      },
      rc::detail::TestMetadata{.id = property, .description = property}, params);
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << text.str();
}

}  // namespace call_service::history
