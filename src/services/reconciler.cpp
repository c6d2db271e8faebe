#include "services/reconciler.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/at_once.hpp"
#include "base/ranges.hpp"
#include "database/models/call.hpp"
#include "log.hpp"
#include "metrics.hpp"

namespace call_service::services {

namespace {

namespace asio = boost::asio;
using repositories::OpenCallPlace;
using rules::Look;
using std::chrono::steady_clock;

constexpr Milliseconds turn_length{250};
constexpr Seconds silence_pause{1};
constexpr Seconds silence_pause_unanswered{5};
constexpr Seconds settling{1};         // a LiveKit that has just begun may not list everything yet
constexpr Seconds seen_precision{15};  // of what is remembered across processes
constexpr int page_length = 500;
constexpr int silent_at_once = 500;
constexpr std::size_t looks_in_quick_comparison = 2000;
constexpr std::size_t writes_at_once = 16;

std::optional<Timestamp> later(std::optional<Timestamp> one, std::optional<Timestamp> other) {
  if (!one || !other) return one ? one : other;
  return std::max(*one, *other);
}

bool has_everybody(const repositories::OpenCall& call, const Look& look) {
  return std::ranges::all_of(call.connections,
                             [&](const std::string& sid) { return contains(look.people, sid, &rules::Seen::sid); });
}

bool has_strangers(const repositories::OpenCall& call, const Look& look) {
  return std::ranges::any_of(
      look.people, [&](const rules::Seen& seen) { return seen.is_connected && !contains(call.connections, seen.sid); });
}

}  // namespace

Reconciler::Reconciler(Executor executor, Needs needs, Settings settings)
    : needs_(std::move(needs)),
      settings_(settings),
      lookout_(needs_.livekit, needs_.clock),
      second_look_(needs_.changes, needs_.clock, settings.rules),
      timer_(executor) {}

void Reconciler::stop() {
  stopping_ = true;
  timer_.cancel();
}

Task<void> Reconciler::pause(steady_clock::duration length) {
  if (stopping_) co_return;
  timer_.expires_after(length);
  co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable_t<Executor>()));
}

Task<void> Reconciler::run() {
  while (!stopping_) {
    Milliseconds rest = turn_length;
    try {
      if (is_watching()) co_await turn();
    } catch (const std::exception& error) {
      log::warning("reconciler_waits_for_database", {{"error", error.what()}});
      lose_sight();
      rest = silence_pause;
    }
    co_await pause(rest);
  }
}

// After an outage everything is compared, and no time counts during which nobody could be seen.
void Reconciler::lose_sight() {
  watched_since_.reset();
  all_next_ = true;
}

bool Reconciler::is_watching() {
  const auto now = steady_clock::now();
  if (!needs_.health.can_be_asked()) {
    settled_at_.reset();
  } else if (!settled_at_) {
    settled_at_ = now + settling;
  }
  if (!settled_at_ || now < *settled_at_ || !needs_.lease.is_held()) {
    lose_sight();
    return false;
  }
  if (!watched_since_) {
    watched_since_ = needs_.clock.now();
    next_comparison_ = now;
    next_silence_ = now;
  }
  return true;
}

Task<void> Reconciler::turn() {
  const auto now = steady_clock::now();
  // First what is wrong, then what is due: after an outage much of both.
  if (settings_.interval.count() > 0 && now >= next_comparison_) {
    next_comparison_ = now + settings_.interval;
    co_await compare();
  }
  if (now >= next_silence_ && !stopping_) {
    next_silence_ = now + silence_pause;
    co_await ask_for_silent();
  }
}

Task<Lookout::Answers> Reconciler::ask(std::vector<Lookout::Question> questions) {
  auto answers = co_await lookout_.look(std::move(questions));
  if (answers.outage && !stopping_) needs_.report_outage(*answers.outage);
  co_return answers;
}

Task<void> Reconciler::ask_for_silent() {
  const Timestamp now = needs_.clock.now();
  const Seconds never_joined = settings_.rules.never_joined_timeout;
  const repositories::SilenceLimits limits{
      .closing = now,
      .closing_ahead = now + 2 * rules::token_grace,
      .token_ahead = now + rules::token_grace,
      .session = now - rules::session_grace,
      .never_joined = never_joined.count() > 0 ? now - never_joined : repositories::first_moment};
  auto silent = co_await needs_.calls.silent(limits, silent_at_once);
  if (silent.empty()) co_return;
  const std::size_t asked = silent.size();
  auto calls = co_await needs_.calls.find(std::move(silent));
  auto doubts = co_await look_first(std::move(calls), true);
  // Whatever LiveKit does not answer for stays due; it is not pressed.
  if (doubts.size() < asked) next_silence_ = steady_clock::now() + silence_pause_unanswered;
  co_await look_again(std::move(doubts), {});
  if (settings_.interval.count() == 0) sights_.clear();
}

Task<void> Reconciler::compare() {
  Pass pass{.rooms = co_await lookout_.all_rooms(), .all = std::exchange(all_next_, false)};
  OpenCallPlace place{.started_at = repositories::first_moment};
  while (!stopping_ && needs_.health.reachable) {
    const auto page = co_await needs_.calls.page(place, page_length);
    pass.is_whole = page.empty();
    if (pass.is_whole) break;
    place = page.back();
    co_await compare_page(pass, page);
  }
  ++passes_;
  stride_ = 1 + pass.live / looks_in_quick_comparison;
  auto ended = co_await find_rooms_of_ended(pass);
  co_await look_again(std::move(pass.doubts), std::move(ended));
  if (pass.is_whole) forget_closed(pass.open);
}

Task<void> Reconciler::compare_page(Pass& pass, const std::vector<OpenCallPlace>& page) {
  std::vector<Uuid> ids;
  for (const auto& place : page) ids.push_back(place.call_id);
  pass.open.insert(ids.begin(), ids.end());
  auto calls = co_await needs_.calls.find(std::move(ids));
  std::erase_if(calls, [&](const OpenCall& call) { return !needs_look(pass, call); });
  append(pass.doubts, co_await look_first(std::move(calls), false));
}

// LiveKit's list of all rooms is a hint: what it shows to be different is looked at, and in turn also what it does not.
bool Reconciler::needs_look(Pass& pass, const OpenCall& call) const {
  if (!pass.rooms) return true;
  const auto room = pass.rooms->find(models::room_name_of(call.call_id));
  if (room != pass.rooms->end()) {
    const bool is_its_turn = pass.live++ % stride_ == passes_ % stride_;
    return pass.all || is_its_turn || room->second != call.room_sid;
  }
  if (!call.connections.empty()) return true;
  const auto sight = sights_.find(call.call_id);
  rules::Absence absence{
      .room = true, .asked_at = needs_.clock.now(), .last_seen = later(call.seen_at, call.last_left)};
  absence.watched_since = sight != sights_.end() ? watched_since(sight->second) : *watched_since_;
  absence.departure_timeout = settings_.rules.departure_timeout;
  return rules::may_be_over(call, absence);
}

Timestamp Reconciler::watched_since(const Sight& sight) const {
  return std::max(*watched_since_, sight.no_answer_at.value_or(*watched_since_));
}

Task<std::vector<Doubt>> Reconciler::look_first(std::vector<OpenCall> calls, bool timer) {
  std::vector<Doubt> doubts;
  std::vector<Lookout::Question> questions;
  for (const auto& call : calls) questions.push_back({call.call_id, timer || !call.connections.empty()});
  auto answers = co_await ask(std::move(questions));
  std::vector<OpenCall> seen;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    auto& look = answers.looks[i];
    if (!look) {
      sights_[calls[i].call_id].no_answer_at = needs_.clock.now();
      all_next_ = true;
      continue;
    }
    Doubt doubt = doubt_about(calls[i], std::move(*look), timer);
    const bool is_as_recorded = !calls[i].connections.empty() && has_everybody(calls[i], doubt.first);
    if (is_as_recorded) sights_[calls[i].call_id].seen_at = doubt.first.asked_at;
    if (is_as_recorded) seen.push_back(calls[i]);
    if (is_in_doubt(doubt)) doubts.push_back(std::move(doubt));
  }
  co_await mark_seen(std::move(seen));
  co_return doubts;
}

Doubt Reconciler::doubt_about(const OpenCall& call, Look first, bool timer) {
  const Sight& sight = sights_[call.call_id];
  Doubt doubt{.call = call, .first = std::move(first), .timer = timer};
  doubt.last_seen = later(later(sight.seen_at, call.seen_at), call.last_left);
  // A clock that was ahead, and was set back, has seen nobody in the future.
  if (doubt.last_seen) doubt.last_seen = std::min(*doubt.last_seen, doubt.first.asked_at);
  doubt.watched_since = watched_since(sight);
  doubt.compare = settings_.interval.count() > 0;
  return doubt;
}

bool Reconciler::is_in_doubt(const Doubt& doubt) const {
  const auto& [call, first, last_seen, watched_since, compare, timer] = doubt;
  if (timer || !has_everybody(call, first) || has_strangers(call, first)) return true;
  if (first.room) return first.room->sid != call.room_sid;
  return rules::may_be_over(call, second_look_.absence_of(doubt, first));
}

Task<void> Reconciler::look_again(std::vector<Doubt> doubts, std::vector<Uuid> ended) {
  if (doubts.empty() && ended.empty()) co_return;
  co_await pause(between_looks);
  if (stopping_) co_return;
  std::vector<Lookout::Question> questions;
  for (const Doubt& doubt : doubts) questions.push_back({doubt.call.call_id, true});
  for (const Uuid& call_id : ended) questions.push_back({call_id, false});
  auto answers = co_await ask(std::move(questions));
  auto settle_one = [&](std::size_t i) {
    auto& look = answers.looks[i];
    if (i >= doubts.size()) {
      const Uuid& call_id = ended[i - doubts.size()];
      return write(call_id, settle_room(call_id, std::move(look)));
    }
    const Uuid call_id = doubts[i].call.call_id;
    return write(call_id, settle(std::move(doubts[i]), std::move(look)));
  };
  co_await at_once(answers.looks.size(), writes_at_once, settle_one);
}

// What one call meets, such as a row that somebody has locked, concerns no other. What all meet does: then none waits.
Task<void> Reconciler::write(Uuid call_id, Task<void> work) {
  try {
    co_await std::move(work);
    failed_in_a_row_ = 0;
  } catch (const std::exception& error) {
    log::warning("call_not_compared", {{"call_id", call_id}, {"error", error.what()}});
    if (++failed_in_a_row_ >= 2 * writes_at_once) throw;
  }
}

Task<void> Reconciler::settle(Doubt doubt, std::optional<Look> second) {
  if (second && needs_.lease.is_held()) co_await second_look_.settle(std::move(doubt), std::move(*second));
}

Task<void> Reconciler::settle_room(Uuid ended, std::optional<Look> second) {
  const bool is_there = second && second->room;
  if (is_there && needs_.lease.is_held()) co_await second_look_.room_of_ended_call(ended, std::move(*second));
}

// The other direction: rooms that LiveKit has and that are of no open call.
Task<std::vector<Uuid>> Reconciler::find_rooms_of_ended(const Pass& pass) {
  std::vector<Uuid> ended;
  if (!pass.rooms || stopping_) co_return ended;
  std::vector<Uuid> strangers;
  for (const auto& [name, sid] : *pass.rooms) {
    const auto call_id = models::call_id_of_room(name);
    if (call_id && !pass.open.contains(*call_id)) strangers.push_back(*call_id);
  }
  std::unordered_set<std::string> unknown;
  for (const Uuid& call_id : strangers) unknown.insert(models::room_name_of(call_id));
  for (const auto& owner : co_await needs_.calls.owners(std::move(strangers))) {
    unknown.erase(models::room_name_of(owner.call_id));
    if (!owner.is_active && !owner.deletion_pending) ended.push_back(owner.call_id);
  }
  tell_unknown_rooms(unknown);
  co_return ended;
}

// Another installation may own them.
void Reconciler::tell_unknown_rooms(const std::unordered_set<std::string>& names) {
  for (const auto& name : names) {
    if (!unknown_rooms_.contains(name)) log::warning("room_of_unknown_call", {{"room", name}});
  }
  metrics::series().unknown_rooms.set(static_cast<double>(names.size()));
  unknown_rooms_ = names;
}

Task<void> Reconciler::mark_seen(std::vector<OpenCall> calls) {
  const Timestamp now = needs_.clock.now();
  std::erase_if(calls, [&](const OpenCall& call) {
    const auto known = later(later(call.seen_at, call.entered_at), sights_[call.call_id].marked_at);
    return known && now - *known < seen_precision;
  });
  auto mark = [&](std::size_t i) {
    auto& sight = sights_[calls[i].call_id];
    sight.marked_at = now;  // even in vain: it is worth no wait at each comparison
    return write(calls[i].call_id, needs_.calls.mark_seen(calls[i].call_id, *sight.seen_at));
  };
  co_await at_once(calls.size(), writes_at_once, mark);
}

void Reconciler::forget_closed(const std::unordered_set<Uuid>& open) {
  std::erase_if(sights_, [&](const auto& sight) { return !open.contains(sight.first); });
}

}  // namespace call_service::services
