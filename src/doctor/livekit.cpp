#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

#include "doctor/checks.hpp"
#include "livekit/room_service_client.hpp"

namespace call_service::doctor {

namespace {

namespace asio = boost::asio;
using livekit::Inspection;
using Outcome = Inspection::Outcome;
using Step = http::ClientError::Step;

const std::string area = "livekit";
constexpr Milliseconds answer_within{4500};  // less than `patience`, so that its own words are told

// Runs a coroutine to its end on this thread.
template <typename T>
T run(asio::io_context& context, Task<T> task) {
  std::optional<T> result;
  std::exception_ptr failed;
  asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& error, T value) {
    failed = error;
    result = std::move(value);
  });
  context.run();
  if (failed) std::rethrow_exception(failed);
  return std::move(*result);
}

Findings problem(std::string what, std::string remedy) {
  return {{Level::problem, area, std::move(what), std::move(remedy)}};
}

Findings judge_error(const http::ClientError& error, const std::string& url) {
  const std::string what = url + ": " + error.what;
  switch (error.step) {
    case Step::resolve:
      return problem(what, "Correct the host in LIVEKIT_URL, or the name service.");
    case Step::connect:
      if (error.timed_out) return problem(what, "Correct LIVEKIT_URL, or open the firewall in between.");
      return problem(what,
                     "Start LiveKit there, or set LIVEKIT_URL to where it listens (its `port`, 7880 by default).");
    case Step::secure:
      return problem(
          what,
          "Use ws:// if that port speaks no TLS; else give LiveKit a certificate for this name, signed by an "
          "authority that this machine trusts.");
    case Step::exchange:
      break;
  }
  if (error.timed_out) return problem(what, "Something listens there but does not answer: look at LiveKit's log.");
  return problem(what, "Set LIVEKIT_URL to LiveKit's `port`, and use wss:// if it is served with TLS.");
}

Findings judge(const Inspection& inspection, const std::string& url) {
  const std::string answered = url + " answered HTTP " + std::to_string(inspection.status);
  switch (inspection.outcome) {
    case Outcome::works:
      return {{Level::ok, area, url + " answers, and takes LIVEKIT_API_KEY with its secret", ""}};
    case Outcome::no_answer:
      return judge_error(inspection.error, url);
    case Outcome::unknown_key:
      return problem(
          url + " does not know LIVEKIT_API_KEY",
          "Set it to a name in the `keys` of LiveKit's configuration; or this is another LiveKit than meant.");
    case Outcome::wrong_secret:
      return problem(url + " knows LIVEKIT_API_KEY, but with another secret",
                     "Set LIVEKIT_API_SECRET to the secret of that key in the `keys` of LiveKit's configuration.");
    case Outcome::wrong_clock:
      return problem(url + " takes tokens of this machine for expired or not yet valid",
                     "Set both clocks right, for example with chrony or systemd-timesyncd.");
    case Outcome::refused:
      return problem(answered + " to our token", "Look at LiveKit's log for the reason.");
    case Outcome::out_of_order:
      return problem(answered, "Look at the log of LiveKit, and of a proxy before it.");
    case Outcome::other_program:
      return problem(answered + ", which is not what LiveKit's API says",
                     "Set LIVEKIT_URL to LiveKit's `port`; a proxy before it must pass on the path /twirp.");
  }
  return {};
}

}  // namespace

Finding judge_clock(const std::string& where, const std::string& what, Milliseconds difference, Seconds tolerance) {
  const auto seconds = std::chrono::duration_cast<Seconds>(difference).count();
  if (std::chrono::abs(difference) <= tolerance) return {Level::ok, where, what + " agrees with this machine's", ""};
  return {
      Level::problem, where,
      what + " is " + std::to_string(std::abs(seconds)) + " s " + (seconds < 0 ? "behind" : "ahead of") +
          " this machine's",
      "Set both clocks right, for example with chrony or systemd-timesyncd: times on record bend, and tokens count as "
      "expired or not yet valid."};
}

Findings check_livekit(const std::string& url, const livekit::ApiKey& key) {
  const auto origin = http::Origin::parse(url);
  if (!origin) return problem("LIVEKIT_URL is no URL", "Correct it.");
  asio::io_context context{1};
  http::Client client(context.get_executor(), *origin);
  const SystemClock clock;
  const auto before = clock.now();
  const auto inspection = run(context, livekit::inspect(client, key, before, answer_within));
  Findings findings = judge(inspection, url);
  if (inspection.their_time && inspection.outcome != Outcome::other_program) {
    const auto here = std::chrono::floor<Seconds>(before + (clock.now() - before) / 2);
    findings.push_back(judge_clock(area, "LiveKit's clock", *inspection.their_time - here, Seconds(10)));
  }
  return findings;
}

std::vector<std::string> rooms_in_livekit(const std::string& url, const livekit::ApiKey& key,
                                          const std::vector<std::string>& names) {
  const auto origin = http::Origin::parse(url);
  if (!origin || names.empty()) return {};
  asio::io_context context{1};
  const SystemClock clock;
  livekit::RoomServiceClient client(context.get_executor(), *origin, key, clock, answer_within);
  const auto rooms = run(context, client.list_rooms(names));
  std::vector<std::string> found;
  if (rooms) {
    for (const auto& room : *rooms) found.push_back(room.name);
  }
  return found;
}

}  // namespace call_service::doctor
