#include "middlewares/trace_context.hpp"

#include <gtest/gtest.h>

namespace call_service::middlewares {
namespace {

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string span = "00f067aa0ba902b7";

http::Request with(std::string value) {
  http::Request request;
  request.headers.emplace_back("Traceparent", std::move(value));
  return request;
}

TEST(TraceContext, HasTheIdsOfAValidHeader) {
  const auto request = with("00-" + trace + "-" + span + "-01");
  const auto context = trace_context_of(request);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, trace);
  EXPECT_EQ(context->parent_id, span);
}

TEST(TraceContext, ALaterVersionIsReadByWhatItSharesWithTheFirst) {
  for (const std::string more : {"", "-", "-what-the-future-will-be-like"}) {
    EXPECT_TRUE(trace_context_of(with("cc-" + trace + "-" + span + "-01" + more))) << more;
  }
  EXPECT_FALSE(trace_context_of(with("cc-" + trace + "-" + span + "-01.what")));
}

TEST(TraceContext, WhatIsNotValidIsIgnored) {
  const std::string valid = "00-" + trace + "-" + span + "-01";
  const std::vector<std::string> wrong{
      "",
      "00",
      valid + "-",
      valid + "-extra",
      valid + " ",
      " " + valid,
      "ff-" + trace + "-" + span + "-01",
      "0X-" + trace + "-" + span + "-01",
      "00-" + std::string(32, '0') + "-" + span + "-01",
      "00-" + trace + "-" + std::string(16, '0') + "-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + span + "-01",
      "00-" + trace + "-00F067AA0BA902B7-01",
      "00-" + trace.substr(1) + "g-" + span + "-01",
      "00-" + trace + "-" + span + "-0G",
      "00_" + trace + "-" + span + "-01",
      "00-" + trace + "_" + span + "-01",
      "00-" + trace + "-" + span + "_01",
      "00-" + trace + "-" + span + "-1",
  };
  for (const std::string& value : wrong) EXPECT_FALSE(trace_context_of(with(value))) << value;
  // No position may hold anything else.
  for (std::size_t i = 0; i < valid.size(); ++i) {
    for (const char c : {'\n', 'A', '\xE2', '/'}) {
      std::string changed = valid;
      changed[i] = c;
      EXPECT_FALSE(trace_context_of(with(changed))) << i;
    }
  }
}

TEST(TraceContext, AHeaderGivenTwiceOrNotAtAllIsNone) {
  EXPECT_FALSE(trace_context_of({}));
  auto request = with("00-" + trace + "-" + span + "-01");
  request.headers.push_back(request.headers.front());
  EXPECT_FALSE(trace_context_of(request));
}

}  // namespace
}  // namespace call_service::middlewares
