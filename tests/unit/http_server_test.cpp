#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "http/server.hpp"
#include "http_test_application.hpp"
#include "http_test_support.hpp"

namespace call_service::http {
namespace {

using http_test::eventually;
using http_test::RawSocket;
using http_test::TestApplication;
using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;
using ::testing::StartsWith;

const std::string get_hello = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";

class HttpServer : public ::testing::Test {
 protected:
  void start(Limits limits = {}, std::size_t threads = 1) {
    server.emplace(Server::Options{.host = "127.0.0.1", .port = 0, .threads = threads, .limits = limits}, application);
    server->start();
  }
  RawSocket connect() const { return RawSocket::connect(server->port()); }

  // What the server sends on a connection of its own until it closes it.
  std::optional<std::string> ask(std::string_view bytes) const {
    RawSocket client = connect();
    client.send(bytes);
    return client.read_to_end();
  }

  TestApplication application;
  std::optional<Server> server;
};

TEST_F(HttpServer, AnswersOneRequestAfterTheOther) {
  start();
  RawSocket client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send("POST /a%20b?c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    const std::string response = client.read_message();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(response, HasSubstr("\r\nServer: call-service\r\nDate: "));
    EXPECT_THAT(response, HasSubstr("\r\nContent-Type: text/plain\r\n"));
    EXPECT_THAT(response, Not(HasSubstr("Connection:")));
    EXPECT_THAT(response, EndsWith("\r\n\r\nPOST /a%20b hello"));
  }
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  start();
  RawSocket client = connect();
  client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx" +
              std::string("GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(client.read_message(), EndsWith("GET /1 "));
  EXPECT_THAT(client.read_message(), EndsWith("POST /2 x"));
  const std::string last = client.read_message();
  EXPECT_THAT(last, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(last, EndsWith("GET /3 "));
  EXPECT_THAT(client.read_to_end(), Optional(std::string()));
}

TEST_F(HttpServer, ReadsRequestsThatComeByteByByte) {
  start();
  const std::string request =
      "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\nc\r\n2;e=1\r\n\ne\r\n0\r\nT: x\r\n\r\n"
      "POST /y HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
      "POST /z HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\nfgh";
  // Often, because it depends on when the bytes arrive whether one read takes what another was told of.
  for (int round = 0; round < 100; ++round) {
    RawSocket client = connect();
    const int on = 1;
    ASSERT_EQ(::setsockopt(client.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    for (const char byte : request) client.send(std::string_view(&byte, 1));
    ASSERT_THAT(client.read_message(), EndsWith("POST /x a\nc\ne"));
    ASSERT_THAT(client.read_message(), EndsWith("POST /y "));
    ASSERT_THAT(client.read_message(), EndsWith("POST /z fgh"));
  }
}

TEST_F(HttpServer, SpeaksHttp10) {
  start();
  EXPECT_THAT(ask("GET /a HTTP/1.0\r\n\r\n"), Optional(AllOf(HasSubstr("Connection: close"), EndsWith("GET /a "))));
  RawSocket client = connect();
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.read_message(), HasSubstr("Connection: keep-alive\r\n"));
  client.send(get_hello);
  EXPECT_THAT(client.read_message(), EndsWith("GET /hello "));
}

TEST_F(HttpServer, SendsNoBodyForHeadAnd204) {
  start();
  const auto answer =
      ask("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nGET /empty HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_THAT(*answer, HasSubstr("Content-Length: 8\r\n\r\nHTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(*answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServer, InvitesABodyOnlyAfterAdmission) {
  start();
  RawSocket client = connect();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read_past("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_THAT(client.read_message(), EndsWith("POST /a abc"));
  client.send("POST /refuse HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  const std::string refusal = client.read_message();
  EXPECT_THAT(refusal, StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(refusal, HasSubstr("Connection: close"));
}

TEST_F(HttpServer, KeepsTheConnectionAfterARefusalWithoutBody) {
  start();
  RawSocket client = connect();
  client.send("GET /refuse HTTP/1.1\r\nHost: h\r\n\r\n" + get_hello);
  EXPECT_THAT(client.read_message(), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(client.read_message(), EndsWith("GET /hello "));
}

TEST_F(HttpServer, TurnsExceptionsIntoResponses) {
  start();
  RawSocket client = connect();
  client.send("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n" + get_hello);
  EXPECT_THAT(client.read_message(), AllOf(StartsWith("HTTP/1.1 500 "), EndsWith("bug")));
  EXPECT_THAT(client.read_message(), EndsWith("GET /hello "));
}

TEST_F(HttpServer, RefusesALargeBodyByItsLength) {
  start();
  RawSocket client = connect();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_THAT(client.read_message(), AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("Connection: close")));
}

TEST_F(HttpServer, ShowsTheRefusalToAClientThatSendsItsLargeBodyFirst) {
  start();
  const std::size_t size = 8 * 1024 * 1024;
  RawSocket client = connect();
  EXPECT_TRUE(client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n"));
  EXPECT_TRUE(client.send(std::string(size, 'x')));
  EXPECT_THAT(client.read_to_end(), Optional(AllOf(StartsWith("HTTP/1.1 413 "), EndsWith("refused /a "))));
}

TEST_F(HttpServer, CountsChunkedBodies) {
  start();
  const std::string head = "POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string half = "1f4\r\n" + std::string(500, 'x') + "\r\n";
  EXPECT_THAT(ask(head + half + half + "0\r\n\r\n"), Optional(StartsWith("HTTP/1.1 200 ")));
  EXPECT_THAT(ask(head + half + half + "1\r\nx\r\n0\r\n\r\n"), Optional(StartsWith("HTTP/1.1 413 ")));
  EXPECT_THAT(ask(head + "ffffffffffffffff\r\n"), Optional(StartsWith("HTTP/1.1 413 ")));
  const std::string extended = "1;" + std::string(1500, 'e') + "\r\nx\r\n";
  EXPECT_THAT(ask(head + extended + extended + "0\r\n\r\n"), Optional(StartsWith("HTTP/1.1 200 ")));
  EXPECT_THAT(ask(head + extended + extended + extended + "0\r\n\r\n"), Optional(StartsWith("HTTP/1.1 400 ")));
  EXPECT_THAT(ask(head + "1;" + std::string(20'000, 'e')), Optional(StartsWith("HTTP/1.1 400 ")));
  EXPECT_THAT(ask(head + "0\r\n" + std::string(20'000, 't')), Optional(StartsWith("HTTP/1.1 400 ")));
}

TEST_F(HttpServer, TakesBodiesUpToTheLimit) {
  start();
  const std::string head = "POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n";
  EXPECT_THAT(ask(head + std::string(1000, 'x')), Optional(StartsWith("HTTP/1.1 200 ")));
}

TEST_F(HttpServer, LimitsTheHeader) {
  start();
  const std::string head = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX: ";
  const std::size_t room = 16 * 1024 - head.size() - 4;
  EXPECT_THAT(ask(head + std::string(room, 'x') + "\r\n\r\n"), Optional(StartsWith("HTTP/1.1 200 ")));
  EXPECT_THAT(ask(head + std::string(room + 1, 'x') + "\r\n\r\n"), Optional(StartsWith("HTTP/1.1 431 ")));
  EXPECT_THAT(ask(head + std::string(100'000, 'x')), Optional(StartsWith("HTTP/1.1 431 ")));
  EXPECT_THAT(ask("GET /" + std::string(100'000, 'x')), Optional(StartsWith("HTTP/1.1 431 ")));
  std::string many = head + "1\r\n";
  for (int i = 0; i < 5000; ++i) many += "Y: 1\r\n";
  EXPECT_THAT(ask(many), Optional(StartsWith("HTTP/1.1 431 ")));
}

TEST_F(HttpServer, TellsTheApplicationWhatCameWholeOfARefusedHeader) {
  start();
  const std::string head = "GET /a?b HTTP/1.1\r\nName: n\r\n";
  EXPECT_THAT(ask(head + "X: " + std::string(17'000, 'x')), Optional(EndsWith("refused /a n")));
  const std::string late = "GET /a HTTP/1.1\r\nX: " + std::string(8'000, 'x') + "\r\nName: n\r\nY: ";
  EXPECT_THAT(ask(late + std::string(17'000, 'y')), Optional(EndsWith("refused /a n")));
  EXPECT_THAT(ask(head + "\r\n"), Optional(AllOf(StartsWith("HTTP/1.1 400 "), EndsWith("refused /a n"))));
  EXPECT_THAT(ask(head + "no colon\r\n\r\n"), Optional(EndsWith("refused /a n")));
  EXPECT_THAT(ask("HEAD /a HTTP/1.1\r\n\r\n"), Optional(EndsWith("\r\n\r\n")));
}

TEST_F(HttpServer, TellsWhichRequestHasABrokenBody) {
  start();
  const std::string head = "POST /a HTTP/1.1\r\nHost: h\r\nName: n\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(ask(head + "2\nab\n0\n\n"), Optional(StartsWith("HTTP/1.1 400 ")));
  EXPECT_THAT(ask(head + "zz\r\n\r\n"), Optional(AllOf(StartsWith("HTTP/1.1 400 "), EndsWith("refused /a n"))));
}

class BrokenHttp : public HttpServer, public ::testing::WithParamInterface<const char*> {};

TEST_P(BrokenHttp, IsAnsweredWith400AndClosed) {
  start();
  const std::string request = GetParam() + get_hello;
  const auto answer = ask(request);
  ASSERT_TRUE(answer);
  EXPECT_THAT(*answer,
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("Connection: close\r\n"), HasSubstr("\r\n\r\nrefused ")));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, BrokenHttp,
    ::testing::Values(
        "\x16\x03\x01\x02\x03", "NONSENSE\r\n\r\n", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: h\r\n\r\n", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n",
        "GET / HTTP/1.1\r\nHost : h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\n X: a\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: \x01\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\nab\n0\n\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nab\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000002\r\nab\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: x\n\r\n\r\n"));

TEST_F(HttpServer, ClosesWhenTheHeaderTakesTooLong) {
  start({.header_timeout = milliseconds(50)});
  EXPECT_THAT(ask("GET / HT"), Optional(std::string()));
}

TEST_F(HttpServer, ClosesWhenTheBodyTakesTooLong) {
  start({.body_timeout = milliseconds(50)});
  EXPECT_THAT(ask("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe"), Optional(std::string()));
  ASSERT_TRUE(eventually([&] { return application.finished().size() == 1; }));
  EXPECT_FALSE(application.finished()[0].sent);
}

TEST_F(HttpServer, ClosesIdleConnections) {
  start({.idle_timeout = milliseconds(50)});
  EXPECT_THAT(ask(""), Optional(std::string()));
  EXPECT_THAT(ask(get_hello), Optional(EndsWith("GET /hello ")));
}

TEST_F(HttpServer, FinishesARequestWhoseClientHasGone) {
  start();
  RawSocket client = connect();
  client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return application.running == 1; }));
  client.close();
  application.release();
  ASSERT_TRUE(eventually([&] { return application.finished().size() == 1; }));
  EXPECT_EQ(application.finished()[0].status, 200);
}

TEST_F(HttpServer, AnswersAClientThatSendsNoMore) {
  start();
  RawSocket client = connect();
  client.send(get_hello);
  client.finish_sending();
  EXPECT_THAT(client.read_to_end(), Optional(EndsWith("GET /hello ")));
}

TEST_F(HttpServer, StopClosesIdleConnectionsAtOnce) {
  start();
  RawSocket fresh = connect();
  RawSocket used = connect();
  used.send(get_hello);
  used.read_message();
  EXPECT_EQ(server->stop(), 0U);
  EXPECT_THAT(used.read_to_end(), Optional(std::string()));
  EXPECT_FALSE(connect().is_open());
}

TEST_F(HttpServer, StopLetsRunningRequestsFinish) {
  start();
  RawSocket idle = connect();
  idle.send(get_hello);
  idle.read_message();
  RawSocket busy = connect();
  busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return application.running == 1; }));
  std::size_t cut_off = 99;
  std::thread stopping([&] { cut_off = server->stop(); });
  EXPECT_THAT(idle.read_to_end(), Optional(std::string()));
  application.release();
  EXPECT_THAT(busy.read_to_end(), Optional(AllOf(HasSubstr("Connection: close\r\n"), EndsWith("GET /slow "))));
  stopping.join();
  EXPECT_EQ(cut_off, 0U);
}

TEST_F(HttpServer, StopAnswersAndCutsOffWhatDoesNotFinish) {
  start({.drain_timeout = milliseconds(50)});
  RawSocket stuck = connect();
  stuck.send("GET /stuck HTTP/1.1\r\nHost: h\r\n\r\n");
  RawSocket partial = connect();
  partial.send("GET /partial HTTP");
  RawSocket body = connect();
  body.send("POST /body HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  body.read_past("\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return application.running == 1; }));
  EXPECT_EQ(server->stop(), 2U);
  EXPECT_THAT(stuck.read_message(),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Connection: close\r\n"), EndsWith("refused /stuck ")));
  EXPECT_THAT(body.read_message(), AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("refused /body ")));
  EXPECT_THAT(partial.read_to_end(), Optional(std::string()));
  ASSERT_EQ(application.finished().size(), 2U);
  for (const auto& finished : application.finished()) {
    EXPECT_EQ(finished.status, 503);
    EXPECT_TRUE(finished.sent);
  }
}

TEST_F(HttpServer, StopServesWhatWasSentBefore) {
  server.emplace(Server::Options{.host = "127.0.0.1", .port = 0, .threads = 1, .limits = {}}, application);
  std::vector<RawSocket> queued;
  for (int i = 0; i < 3; ++i) {
    queued.push_back(connect());
    queued.back().send(get_hello);
  }
  RawSocket silent = connect();
  server->start();
  EXPECT_EQ(server->stop(), 0U);
  for (RawSocket& client : queued) {
    EXPECT_THAT(client.read_to_end(), Optional(EndsWith("GET /hello ")));
  }
  EXPECT_THAT(silent.read_to_end(), Optional(std::string()));
}

TEST_F(HttpServer, StopLetsARequestBecomeComplete) {
  start();
  RawSocket busy = connect();
  busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  RawSocket unfinished = connect();
  unfinished.send("POST /body HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  unfinished.read_past("\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return application.running == 1; }));
  std::thread stopping([&] { server->stop(); });
  ASSERT_TRUE(eventually([&] { return !connect().is_open(); }));
  unfinished.send("hello");
  EXPECT_THAT(unfinished.read_to_end(), Optional(EndsWith("POST /body hello")));
  application.release();
  stopping.join();
}

TEST_F(HttpServer, ServesOnSeveralThreads) {
  start({}, 4);
  std::vector<std::thread> clients;
  std::atomic<int> answered = 0;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&] {
      RawSocket client = connect();
      for (int i = 0; i < 50; ++i) {
        client.send(get_hello);
        if (client.read_message().ends_with("GET /hello ")) ++answered;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 400);
  EXPECT_EQ(server->stop(), 0U);
  EXPECT_EQ(server->stop(), 0U);
}

TEST_F(HttpServer, SaysWhichAddressItCannotBind) {
  for (const std::size_t threads : {1, 2}) {
    start({}, threads);
    const std::uint16_t taken = server->port();
    try {
      Server second({.host = "127.0.0.1", .port = taken, .threads = 2, .limits = {}}, application);
      ADD_FAILURE() << "bound twice with " << threads << " threads";
    } catch (const ListenError& cause) {
      EXPECT_THAT(cause.what(), HasSubstr("127.0.0.1:" + std::to_string(taken)));
    }
  }
}

TEST_F(HttpServer, CanBeDestroyedWithoutHavingBeenStarted) {
  const Server unused({.host = "127.0.0.1", .port = 0, .threads = 2, .limits = {}}, application);
  EXPECT_NE(unused.port(), 0);
}

}  // namespace
}  // namespace call_service::http
