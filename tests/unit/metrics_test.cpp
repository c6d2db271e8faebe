#include "metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace call_service::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, AHistogramCountsUpToAndIncludingItsBounds) {
  static constexpr std::array bounds{1.0, 2.0, 4.0};
  Histogram histogram(bounds);
  for (const double value : {0.5, 1.0, 1.5, 4.0, 4.1}) histogram.observe(value);
  EXPECT_EQ(histogram.count_in(0), 2U);
  EXPECT_EQ(histogram.count_in(1), 1U);
  EXPECT_EQ(histogram.count_in(2), 1U);
  EXPECT_EQ(histogram.count_in(3), 1U);
  EXPECT_DOUBLE_EQ(histogram.sum(), 11.1);
}

TEST(Metrics, AnUndeclaredLabelValueCountsAsTheLastOne) {
  Counters counters({{"a", {"x", "other"}}, {"b", {"1", "2"}}});
  counters.add({"x", "2"});
  counters.add({"a client's own text", "1"});
  EXPECT_EQ(counters.all()[0].value(), 0U);
  EXPECT_EQ(counters.all()[1].value(), 1U);
  EXPECT_EQ(counters.all()[2].value(), 1U);
  EXPECT_EQ(counters.all().size(), 4U);
}

TEST(Metrics, ManyThreadsLoseNoRequest) {
  Route& counted = route("/metrics-test");
  EXPECT_EQ(&counted, &route("/metrics-test"));
  constexpr int each = 20'000;
  static constexpr std::string_view get = "GET";
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < each; ++n) counted.count(get, 200 + n % 10, 0.001);
      });
    }
  }
  const std::string page = render();
  for (int status = 200; status < 210; ++status) {
    EXPECT_THAT(page, HasSubstr("call_service_http_requests_total{route=\"/metrics-test\",method=\"GET\",status=\"" +
                                std::to_string(status) + "\"} 8000\n"));
  }
  EXPECT_THAT(page, HasSubstr("call_service_http_request_duration_seconds_count{route=\"/metrics-test\"} 80000\n"));
}

TEST(Metrics, WhatIsNotKnownIsLeftOut) {
  series().calls_active.set(3);
  EXPECT_THAT(render(), HasSubstr("\ncall_service_calls_active 3\n"));
  series().calls_active.clear();
  EXPECT_THAT(render(), Not(HasSubstr("\ncall_service_calls_active ")));
  EXPECT_THAT(render(), HasSubstr("# TYPE call_service_calls_active gauge\n"));
}

}  // namespace
}  // namespace call_service::metrics
