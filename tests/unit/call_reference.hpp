#pragma once

#include <string>

#include "call_history.hpp"

// The rules of api.md ("LiveKit's webhooks") once more, for tests: not event by event, but from all that is ever told
// of a call at once, so that there is no order in it. Shares nothing with the program.
namespace call_service::history {

// The facts in which the history ends, a line each, times in whole seconds: the call, and who was there on which
// connection from when to when, and why that ended.
std::string reference(const History& history);

// Whether, when this room was finished, all who had been in it had left, and somebody got a token after that.
bool somebody_is_on_the_way(const History& history, const Fact& finished);

// The lines' form, for what the program makes of it.
std::string call_line(const std::string& end, std::optional<int> at);
std::string stay_line(const std::string& user, const std::string& sid, std::optional<int> from, std::optional<int> to,
                      const std::string& reason);

}  // namespace call_service::history
