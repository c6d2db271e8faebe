#pragma once

#include <rapidcheck.h>

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

// Random histories of one call: what a real LiveKit may tell of it, in which order and how often that arrives, and what
// the API does meanwhile. Plain data that knows nothing of the program; times are milliseconds after the call's start.
namespace call_service::history {

struct Room {
  std::string sid{};
  int created_at = 0;
};

struct Token {
  std::string user{};
  int at = 0;
};

enum class Kind { started, finished, joined, left, aborted };

struct Fact {
  Kind kind = Kind::started;
  Room room{};
  int happened_at = 0;
  bool prompt = false;  // dated by its arrival, at once; else by createdAt, which has whole seconds
  int arrives_at = 0;   // its place in the order of arrival

  // Of those about a participant.
  std::string user{};
  std::string sid{};
  int joined_at = 0;
  std::string reason{};
  std::optional<std::size_t> token{};  // names the session that this one of the history's tokens was handed out for
  bool names_nobody = false;           // names a session that does not exist

  bool is_of_participant() const { return kind != Kind::started && kind != Kind::finished; }
  // When it happened, as far as LiveKit and the time of arrival tell.
  int moment() const { return prompt ? happened_at : happened_at / 1000 * 1000; }
};

struct History {
  std::vector<Token> tokens{};    // in the order handed out, the first with the call itself
  std::vector<Fact> facts{};      // in the order in which they happened
  std::optional<int> ended_at{};  // by the API

  bool is_told_before_the_end(const Fact& fact) const { return !ended_at || fact.arrives_at < *ended_at; }
};

// What is done one after the other: a token is handed out, the call is ended, a fact is told, maybe for a second time.
struct Step {
  enum class What { token, end, fact } what = What::fact;
  std::size_t index = 0;  // of the token or the fact
  bool again = false;
};

// In the order of arrival.
std::vector<Step> steps_of(const History& history);

std::ostream& operator<<(std::ostream& out, const History& history);

rc::Gen<History> any_history();

}  // namespace call_service::history
