#include "error.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/text.hpp"
#include "wire/json.hpp"

namespace call_service {
namespace {

TEST(Error, EachCodeHasItsStatusAndName) {
  EXPECT_EQ(status_of(ErrorCode::malformed_json), 400);
  EXPECT_EQ(status_of(ErrorCode::unauthorized), 401);
  EXPECT_EQ(status_of(ErrorCode::forbidden), 403);
  EXPECT_EQ(status_of(ErrorCode::call_not_found), 404);
  EXPECT_EQ(status_of(ErrorCode::method_not_allowed), 405);
  EXPECT_EQ(status_of(ErrorCode::call_full), 409);
  EXPECT_EQ(status_of(ErrorCode::body_too_large), 413);
  EXPECT_EQ(status_of(ErrorCode::unsupported_media_type), 415);
  EXPECT_EQ(status_of(ErrorCode::validation_failed), 422);
  EXPECT_EQ(status_of(ErrorCode::headers_too_large), 431);
  EXPECT_EQ(status_of(ErrorCode::internal), 500);
  EXPECT_EQ(status_of(ErrorCode::shutting_down), 503);
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::shutting_down); ++code) {
    EXPECT_TRUE(names.insert(name_of(static_cast<ErrorCode>(code))).second);
  }
}

TEST(Error, IsWrittenAsAProblemDocument) {
  const Error error{ErrorCode::call_not_found, "There is no call 7.", {}, "a secret cause"};
  EXPECT_EQ(problem_json(error, "/calls/7", "req-1"),
            R"({"type":"urn:call-service:error:call_not_found","title":"There is no such call","status":404,)"
            R"("detail":"There is no call 7.","instance":"/calls/7","code":"call_not_found","request_id":"req-1"})");
}

TEST(Error, AFailedValidationListsItsFaults) {
  Error error{ErrorCode::validation_failed, "Two faults.", {}, {}};
  error.faults.push_back({"", {}, "type", "must be an object"});
  error.faults.push_back({{}, "call_id", "format", "must be a UUID"});
  const std::string text = problem_json(error, "/calls", "r");
  EXPECT_TRUE(text.ends_with(R"("errors":[{"pointer":"","code":"type","detail":"must be an object"},)"
                             R"({"parameter":"call_id","code":"format","detail":"must be a UUID"}]})"))
      << text;
}

TEST(Error, AnyPathGivesAValidDocument) {
  std::string path = "/";
  for (int byte = 0; byte < 256; ++byte) path += static_cast<char>(byte);
  const std::string text = problem_json({ErrorCode::malformed_request, "d", {}, {}}, path, "r");
  EXPECT_TRUE(is_utf8(text));
  const auto document = wire::JsonDocument::parse(text);
  ASSERT_TRUE(document);
  const auto instance = document->root().find("instance");
  ASSERT_TRUE(instance);
  EXPECT_TRUE(instance->text().starts_with(path.substr(0, 129)));
}

}  // namespace
}  // namespace call_service
