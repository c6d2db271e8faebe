#include "api/access_log.hpp"

#include <gtest/gtest.h>

namespace call_service::api {
namespace {

TEST(AccessLog, ShowsOfAPathWhatIsNoCredential) {
  EXPECT_EQ(loggable_path("/calls/01939c5e-8e3a-7c31-9b6e-0123456789ab/join/alice"),
            "/calls/01939c5e-8e3a-7c31-9b6e-0123456789ab/join/alice");
  EXPECT_EQ(loggable_path("/calls/not-a-uuid"), "/calls/not-a-uuid");
  EXPECT_EQ(loggable_path("/"), "/");
  EXPECT_EQ(loggable_path("//a//"), "//a//");
  EXPECT_EQ(loggable_path(""), "");
  EXPECT_EQ(loggable_path("*"), "*");
}

TEST(AccessLog, HidesWhatMayBeOne) {
  const std::string key = "key-0123456789-0123456789-0123456789";
  const std::string token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
  EXPECT_EQ(loggable_path("/calls/" + key + "/end"), "/calls/[redacted]/end");
  EXPECT_EQ(loggable_path("/" + token), "/[redacted]");
  EXPECT_EQ(loggable_path("/calls/x/join/" + token), "/calls/x/join/[redacted]");
  EXPECT_EQ(loggable_path(key), "/[redacted]");
}

}  // namespace
}  // namespace call_service::api
