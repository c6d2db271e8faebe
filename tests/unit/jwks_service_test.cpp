#include "services/jwks_service.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>

#include "middlewares/authorization.hpp"

namespace call_service::services {
namespace {

using namespace std::chrono_literals;

class SettableClock final : public Clock {
 public:
  Timestamp now() const override { return at; }
  Timestamp at{1767225600s};
};

jose::KeySet some_keys() {
  return *jose::KeySet::parse(
      R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
}

class JwksServiceTest : public ::testing::Test {
 protected:
  // Starts `count` requests for a refresh; they run until they wait or are done.
  void ask(int count = 1) {
    for (int i = 0; i < count; ++i) {
      boost::asio::co_spawn(context, service.refresh(), [this](const std::exception_ptr& error) {
        EXPECT_FALSE(error);
        ++answered;
      });
    }
    poll();
  }
  void poll() {
    context.restart();
    context.poll();
  }
  void end_with(std::expected<jose::KeySet, std::string> outcome) {
    service.end(std::move(outcome));
    poll();
  }

  boost::asio::io_context context{1};
  SettableClock clock;
  int wakes = 0;
  int answered = 0;
  JwksService service{clock, [this] { ++wakes; }};
};

TEST_F(JwksServiceTest, AllWhoAskShareOneRefresh) {
  end_with(std::unexpected("away"));
  ask(100);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(answered, 0);
  service.begin();
  ask();
  end_with(some_keys());
  EXPECT_EQ(answered, 101);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(service.keys()->size(), 1U);
}

TEST_F(JwksServiceTest, IsAskedOnceAMinute) {
  end_with(std::unexpected("away"));
  ask();
  end_with(some_keys());
  clock.at += 59s;
  ask(3);
  EXPECT_EQ(answered, 4);
  EXPECT_EQ(wakes, 1);
  clock.at += 1s;
  ask();
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(answered, 4);
  end_with(std::unexpected("away"));
  ask();
  EXPECT_EQ(wakes, 2) << "a refresh that failed counts";
  clock.at -= 3600s;
  ask();
  EXPECT_EQ(wakes, 3) << "a clock that was set back does not bar it for an hour";
}

TEST_F(JwksServiceTest, WaitsForTheFirstReadWithoutAskingForAnother) {
  ask();
  EXPECT_EQ(wakes, 0);
  EXPECT_EQ(answered, 0);
  end_with(some_keys());
  EXPECT_EQ(answered, 1);
  ask();
  EXPECT_EQ(wakes, 1) << "the read at start leaves the one that an unknown key may ask for";
}

TEST_F(JwksServiceTest, KeepsTheLastGoodKeys) {
  EXPECT_EQ(service.snapshot().keys, 0U);
  EXPECT_FALSE(service.snapshot().fetched_at);
  end_with(some_keys());
  const Timestamp read_at = clock.at;
  clock.at += 600s;
  end_with(std::unexpected("status 500"));
  EXPECT_EQ(service.snapshot().keys, 1U);
  EXPECT_EQ(service.snapshot().fetched_at, read_at);
  EXPECT_EQ(service.snapshot().last_error, "status 500");
  end_with(some_keys());
  EXPECT_EQ(service.snapshot().last_error, std::nullopt);
  EXPECT_EQ(service.snapshot().fetched_at, clock.at);
}

TEST_F(JwksServiceTest, OnlyAnUnknownKeyIsWorthARefresh) {
  const middlewares::Authorizer authorizer(Config{}, clock, &service);
  const auto refusal_of = [&](const std::string& token) {
    http::Request request;
    request.headers = {{"Authorization", "Bearer " + token}};
    const auto caller = authorizer.authorize(request);
    EXPECT_FALSE(caller);
    return caller ? middlewares::Authorizer::Refusal{} : caller.error();
  };
  const std::string unknown_kid = "eyJhbGciOiJFZERTQSIsImtpZCI6IngifQ.e30.AAAA";  // {"alg":"EdDSA","kid":"x"}
  const std::string no_kid = "eyJhbGciOiJFZERTQSJ9.e30.AAAA";                     // {"alg":"EdDSA"}
  const std::string hs256 = "eyJhbGciOiJIUzI1NiIsImtpZCI6IngifQ.e30.AAAA";        // {"alg":"HS256","kid":"x"}
  EXPECT_TRUE(refusal_of(unknown_kid).key_is_unknown);
  EXPECT_TRUE(refusal_of(no_kid).key_is_unknown);
  end_with(some_keys());
  EXPECT_TRUE(refusal_of(unknown_kid).key_is_unknown);
  EXPECT_FALSE(refusal_of(no_kid).key_is_unknown);
  for (const std::string& token : {hs256, std::string("x"), std::string("eyJhbGciOiJub25lIiwia2lkIjoieCJ9.e30.")}) {
    EXPECT_FALSE(refusal_of(token).key_is_unknown) << token;
  }
}

}  // namespace
}  // namespace call_service::services
