#include <gtest/gtest.h>

#include "database/url.hpp"

namespace call_service::db {
namespace {

std::string libpq_of(const char* url, bool prepared) {
  const auto split = split_postgresql_url(url);
  if (!split) return "refused";
  EXPECT_EQ(split->prepared, prepared) << url;
  return split->libpq;
}

TEST(DatabaseUrl, WhatIsOursIsTakenOutForLibpq) {
  EXPECT_EQ(libpq_of("postgresql://h/d", true), "postgresql://h/d");
  EXPECT_EQ(libpq_of("postgresql://h/d?prepared=true", true), "postgresql://h/d");
  EXPECT_EQ(libpq_of("postgresql://h/d?prepared=false", false), "postgresql://h/d");
  EXPECT_EQ(libpq_of("postgresql://h?prepared=false", false), "postgresql://h");
  EXPECT_EQ(libpq_of("postgresql://h/d?a=1&prepared=false&b=2", false), "postgresql://h/d?a=1&b=2");
  EXPECT_EQ(libpq_of("postgresql://h/d?prepared=false&a=1", false), "postgresql://h/d?a=1");
  EXPECT_EQ(libpq_of("postgresql://h/d?unprepared=false", true), "postgresql://h/d?unprepared=false");
}

TEST(DatabaseUrl, APasswordIsNotReadAsAParameter) {
  EXPECT_EQ(libpq_of("postgresql://u:p?prepared=false@h/d", true), "postgresql://u:p?prepared=false@h/d");
  EXPECT_EQ(libpq_of("postgresql://u:p?x@h/d?prepared=false", false), "postgresql://u:p?x@h/d");
}

TEST(DatabaseUrl, AnotherValueIsRefused) {
  for (const char* url : {"postgresql://h/d?prepared=", "postgresql://h/d?prepared=0",
                          "postgresql://h/d?prepared=False", "postgresql://h/d?prepared=true&prepared=true"}) {
    EXPECT_EQ(split_postgresql_url(url), std::nullopt) << url;
  }
}

}  // namespace
}  // namespace call_service::db
