#include <gtest/gtest.h>

#include "http/client.hpp"
#include "http/message.hpp"
#include "http/request_head.hpp"
#include "http/response_text.hpp"

namespace call_service::http {
namespace {

std::optional<std::string> decoded(std::string_view encoded) {
  std::string text;
  if (!percent_decode(encoded, text)) return std::nullopt;
  return text;
}

Request request_with(std::string target, std::vector<Header> headers) {
  Request request;
  request.target = std::move(target);
  request.headers = std::move(headers);
  return request;
}

bool accepts(std::vector<Header> headers, bool http_1_1 = true) {
  Request request = request_with("/", std::move(headers));
  return check_head(request, http_1_1, "");
}

TEST(PercentDecode, DecodesBytesAndKeepsPlus) {
  EXPECT_EQ(decoded("a+b"), "a+b");
  EXPECT_EQ(decoded("a%2Fb%2f"), "a/b/");
  EXPECT_EQ(decoded("%C3%A4"), "\xC3\xA4");
  EXPECT_EQ(decoded("%252F"), "%2F");
  EXPECT_EQ(decoded("%00"), std::string(1, '\0'));
  EXPECT_EQ(decoded(""), "");
}

TEST(PercentDecode, RefusesBrokenEscapes) {
  for (const char* text : {"%", "%4", "a%4", "%zz", "%4g", "%%41", "% 41", "%+1"}) EXPECT_FALSE(decoded(text)) << text;
}

TEST(PercentDecode, RefusesWhatIsNotUtf8) {
  for (const char* text : {"%FF", "%C3", "%C0%80", "%ED%A0%80", "%F4%90%80%80", "\xC3"}) {
    EXPECT_FALSE(decoded(text)) << text;
  }
}

TEST(RequestHeaders, AreFoundInAnyCaseAndCounted) {
  const Request request = request_with("/", {{"X-One", "1"}, {"x-one", "2"}});
  ASSERT_NE(request.header("X-ONE"), nullptr);
  EXPECT_EQ(*request.header("X-ONE"), "1");
  EXPECT_EQ(request.header_count("x-One"), 2U);
  EXPECT_EQ(request.header("X-Two"), nullptr);
}

TEST(CheckHead, SplitsTheTarget) {
  Request request = request_with("/calls/a%2Fb?limit=1?x", {{"Host", "h"}});
  ASSERT_TRUE(check_head(request, true, ""));
  EXPECT_EQ(request.path, "/calls/a%2Fb");
  EXPECT_EQ(request.query, "limit=1?x");
  EXPECT_EQ(request.target, "/calls/a%2Fb?limit=1?x");
}

TEST(CheckHead, TakesThePathOfAbsoluteForm) {
  Request request = request_with("HTTP://h:80/calls?x=1", {{"Host", "h"}});
  ASSERT_TRUE(check_head(request, true, ""));
  EXPECT_EQ(request.path, "/calls");
  request.target = "http://h?x=1";
  ASSERT_TRUE(check_head(request, true, ""));
  EXPECT_EQ(request.path, "/");
  EXPECT_EQ(request.query, "x=1");
}

TEST(CheckHead, RefusesOtherTargets) {
  for (const char* target : {"*", "h:443", "calls", "ftp://h/", "http://", "http:///x", "/a#b"}) {
    Request request = request_with(target, {{"Host", "h"}});
    EXPECT_FALSE(check_head(request, true, "")) << target;
  }
}

TEST(CheckHead, TakesTheServerItselfWithOptions) {
  Request request = request_with("*", {{"Host", "h"}});
  request.method = Method::options;
  ASSERT_TRUE(check_head(request, true, ""));
  EXPECT_EQ(request.path, "*");
}

TEST(CheckHead, WantsOneHost) {
  EXPECT_FALSE(accepts({}));
  EXPECT_TRUE(accepts({}, false));
  EXPECT_FALSE(accepts({{"Host", "a"}, {"host", "a"}}));
  EXPECT_FALSE(accepts({{"Host", "a"}, {"host", "a"}}, false));
  for (const char* host : {"h", "h:80", "[::1]:80", "a.b-c_d~%41", ""}) EXPECT_TRUE(accepts({{"Host", host}})) << host;
  for (const char* host : {"a, b", "a b", "a/b", "u@h", "a?b", "a#b", "a\\b", "<a>", "\xC3\xA4"}) {
    EXPECT_FALSE(accepts({{"Host", host}})) << host;
  }
}

TEST(CheckHead, RefusesAmbiguousFraming) {
  EXPECT_TRUE(accepts({{"Host", "h"}, {"Content-Length", "5"}}));
  EXPECT_TRUE(accepts({{"Host", "h"}, {"Transfer-Encoding", "Chunked"}}));
  EXPECT_FALSE(accepts({{"Host", "h"}, {"Content-Length", "5"}, {"Content-Length", "5"}}));
  EXPECT_FALSE(accepts({{"Host", "h"}, {"Content-Length", "5, 5"}}));
  EXPECT_FALSE(accepts({{"Host", "h"}, {"Content-Length", "+5"}}));
  EXPECT_FALSE(accepts({{"Host", "h"}, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}));
  EXPECT_FALSE(accepts({{"Host", "h"}, {"Transfer-Encoding", "gzip, chunked"}}));
  EXPECT_FALSE(accepts({{"Host", "h"}, {"Transfer-Encoding", "identity"}}));
  EXPECT_FALSE(accepts({{"Transfer-Encoding", "chunked"}}, false));
}

TEST(CheckHead, RefusesFoldedLines) {
  Request request = request_with("/", {{"Host", "h"}});
  EXPECT_FALSE(check_head(request, true, "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"));
  EXPECT_FALSE(check_head(request, true, "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb\r\n\r\n"));
}

TEST(BareLineFeed, IsFound) {
  for (const char* text : {"\n", "a\nb", "a\r\n\n", "\r\r\n\n"}) EXPECT_TRUE(has_bare_line_feed(text)) << text;
  for (const char* text : {"", "\r\n", "a\r", "a\r\nb\r\n"}) EXPECT_FALSE(has_bare_line_feed(text)) << text;
}

TEST(ResponseText, HasTheHeadersThatTheResponseNeeds) {
  std::string text;
  append_response(text, {.status = 404, .headers = {{"X-A", "b"}}, .body = "{}"}, {}, "now");
  EXPECT_EQ(text,
            "HTTP/1.1 404 Not Found\r\nServer: call-service\r\nDate: now\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\nX-A: b\r\n\r\n{}");
}

TEST(ResponseText, FollowsTheFraming) {
  const auto text_of = [](const Response& response, const Framing& framing) {
    std::string text;
    append_response(text, response, framing, "now");
    return text;
  };
  const Response response{.content_type = "", .body = "hello"};
  EXPECT_EQ(text_of(response, {.head = true}),
            "HTTP/1.1 200 OK\r\nServer: call-service\r\nDate: now\r\nContent-Length: 5\r\n\r\n");
  EXPECT_NE(text_of(response, {.keep_alive = false}).find("Connection: close\r\n"), std::string::npos);
  EXPECT_NE(text_of(response, {.http_1_1 = false}).find("Connection: keep-alive\r\n"), std::string::npos);
  EXPECT_EQ(text_of({.status = 204, .body = "x"}, {}),
            "HTTP/1.1 204 No Content\r\nServer: call-service\r\nDate: now\r\n\r\n");
}

TEST(ResponseText, ValuesForgeNoHeaders) {
  std::string text;
  append_response(text, {.status = 200, .headers = {{"Location", "/a\r\nSet-Cookie: b"}}}, {}, "now");
  EXPECT_NE(text.find("Location: /a  Set-Cookie: b\r\n"), std::string::npos);
}

TEST(DateCache, FormatsTheDateOfRfc9110) {
  DateCache date;
  EXPECT_EQ(date.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(784111778), "Sun, 06 Nov 1994 08:49:38 GMT");
}

TEST(OriginParse, ReadsSchemesPortsAndPaths) {
  const auto plain = Origin::parse("ws://livekit:7880");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "livekit");
  EXPECT_EQ(plain->port, "7880");
  EXPECT_EQ(plain->base_path, "");
  const auto secure = Origin::parse("WSS://livekit.example/base/");
  ASSERT_TRUE(secure);
  EXPECT_TRUE(secure->tls);
  EXPECT_EQ(secure->port, "443");
  EXPECT_EQ(secure->base_path, "/base");
  const auto six = Origin::parse("http://[::1]:80/");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, "80");
}

TEST(OriginParse, RefusesWhatIsNoOrigin) {
  for (const char* url : {"", "livekit:7880", "ftp://h", "http://", "http://h:0", "http://h:65536",
                          "http://h:", "http://h:8a", "http://u:p@h", "http://h/?a", "http://h/#a", "http://h o",
                          "http://[::1", "http://[::1]x", "http://[h]", "http://:80"}) {
    EXPECT_FALSE(Origin::parse(url)) << url;
  }
}

}  // namespace
}  // namespace call_service::http
