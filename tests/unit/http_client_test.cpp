#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <thread>
#include <vector>

#include "http/client.hpp"
#include "http_test_support.hpp"

namespace call_service::http {
namespace {

using http_test::RawListener;
using http_test::RawSocket;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::StartsWith;
using Answer = std::expected<ClientResponse, ClientError>;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// A client and, on a thread of its own, the other side.
class HttpClient : public ::testing::Test {
 protected:
  ~HttpClient() override {
    if (peer_.joinable()) peer_.join();
  }

  void peer(std::function<void()> script) { peer_ = std::thread(std::move(script)); }

  Origin origin(const std::string& host = "127.0.0.1") const {
    return *Origin::parse("http://" + host + ":" + std::to_string(listener.port()) + "/base");
  }

  Client make_client(const std::string& host = "127.0.0.1") { return {context.get_executor(), origin(host)}; }

  // Runs the coroutine until nothing is left to do.
  void run(const std::function<Task<>()>& script) {
    std::exception_ptr failure;
    boost::asio::co_spawn(context, script, [&](std::exception_ptr thrown) { failure = std::move(thrown); });
    context.restart();
    context.run_for(http_test::patience);
    EXPECT_TRUE(context.stopped()) << "something is still waiting";
    if (failure) std::rethrow_exception(failure);
  }

  static ClientRequest request_to(std::string path) {
    return {.path = std::move(path), .headers = {{"X-A", "b"}}, .body = "{}"};
  }

  Answer send_once(Client& client, ClientRequest request, milliseconds timeout = seconds(5)) {
    Answer answer;
    run([&]() -> Task<> { answer = co_await client.send(std::move(request), timeout); });
    return answer;
  }

  Answer post_once(Client& client, milliseconds timeout = seconds(5)) {
    return send_once(client, request_to("/x"), timeout);
  }

  // Answers one request on each of so many connections that are open at once, so that the client keeps them all.
  std::vector<RawSocket> keep(std::size_t count) {
    std::vector<RawSocket> sockets;
    for (std::size_t i = 0; i < count; ++i) sockets.push_back(listener.accept());
    for (RawSocket& socket : sockets) {
      socket.read_message();
      socket.send(ok);
    }
    return sockets;
  }

  // The next connection brings a request, which is answered in a way of its own.
  void answer_on_a_new_connection() {
    RawSocket socket = listener.accept();
    socket.read_message();
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew");
    socket.read_to_end();
  }

  // One exchange with a peer that sends this and closes.
  Answer exchange(std::string response) {
    peer([this, response] {
      RawSocket socket = listener.accept();
      socket.read_message();
      socket.send(response);
      socket.finish_sending();
      socket.read_to_end();
    });
    Client client = make_client();
    return post_once(client);
  }

  boost::asio::io_context context{1};
  RawListener listener;
  std::function<void()> closing;

 private:
  std::thread peer_;
};

TEST_F(HttpClient, ReadsTheResponse) {
  const Answer answer = exchange("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "no");
}

TEST_F(HttpClient, WritesTheRequestAsAsked) {
  peer([&] {
    RawSocket socket = listener.accept();
    const std::string request = socket.read_message();
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(request.size()) + "\r\n\r\n" + request);
    socket.read_to_end();
  });
  Client client = make_client();
  const Answer answer = post_once(client);
  client.close();
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "POST /base/x HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(listener.port()) +
                              "\r\nX-A: b\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_F(HttpClient, KeepsTheConnection) {
  peer([&] {
    RawSocket socket = listener.accept();
    for (int i = 0; i < 3; ++i) {
      socket.read_message();
      socket.send(ok);
    }
    socket.read_to_end();
  });
  Client client = make_client("localhost");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(post_once(client));
  client.close();
}

TEST_F(HttpClient, ReadsInterimResponsesAndChunks) {
  const Answer chunked = exchange(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n");
  ASSERT_TRUE(chunked) << chunked.error().what;
  EXPECT_EQ(chunked->status, 201);
  EXPECT_EQ(chunked->body, "abcd");
}

TEST_F(HttpClient, ReadsAResponseThatEndsWithTheConnection) {
  const Answer answer = exchange("HTTP/1.1 200 OK\r\n\r\nto the end");
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "to the end");
}

TEST_F(HttpClient, ReportsGarbage) {
  const Answer answer = exchange("SMTP ready\r\n\r\n");
  ASSERT_FALSE(answer);
  EXPECT_FALSE(answer.error().timed_out);
}

TEST_F(HttpClient, ReportsAResponseCutShort) {
  EXPECT_FALSE(exchange("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"));
}

TEST_F(HttpClient, ReportsAChunkCutShort) {
  EXPECT_FALSE(exchange("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"));
}

TEST_F(HttpClient, ReportsAnEmptyAnswer) {
  EXPECT_FALSE(exchange(""));
}

TEST_F(HttpClient, ReportsABodyThatIsTooLargeByItsLength) {
  EXPECT_FALSE(exchange("HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n"));
}

TEST_F(HttpClient, ReportsABodyThatIsTooLargeWhileReading) {
  EXPECT_FALSE(exchange("HTTP/1.1 200 OK\r\n\r\n" + std::string(4194305, 'x')));
}

TEST_F(HttpClient, TakesABodyOfTheLimit) {
  const Answer answer = exchange("HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n" + std::string(4194304, 'x'));
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body.size(), 4194304U);
}

TEST_F(HttpClient, TimesOut) {
  peer([&] {
    RawSocket socket = listener.accept();
    socket.read_to_end();
  });
  Client client = make_client();
  const Answer answer = post_once(client, milliseconds(50));
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().timed_out);
}

TEST_F(HttpClient, ReportsAPeerThatIsNotThere) {
  std::uint16_t port = 0;
  {
    const RawListener gone;
    port = gone.port();
  }
  Client client(context.get_executor(), *Origin::parse("http://127.0.0.1:" + std::to_string(port)));
  const Answer answer = post_once(client);
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().what, StartsWith("connecting: "));
}

TEST_F(HttpClient, ReportsAHostThatDoesNotExist) {
  Client client(context.get_executor(), *Origin::parse("http://does-not-exist.invalid"));
  const Answer answer = post_once(client);
  ASSERT_FALSE(answer);
}

TEST_F(HttpClient, SendsAgainWhenAKeptConnectionWasClosed) {
  peer([&] {
    {
      RawSocket first = listener.accept();
      first.read_message();
      first.send(ok);
      first.read_message();
    }
    answer_on_a_new_connection();
  });
  Client client = make_client();
  EXPECT_TRUE(post_once(client));
  const Answer answer = post_once(client);
  client.close();
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "new");
}

TEST_F(HttpClient, DoesNotSendAgainWhatMustNotBe) {
  peer([&] {
    std::vector<RawSocket> kept = keep(1);
    kept.front().read_message();
  });
  Client client = make_client();
  EXPECT_TRUE(post_once(client));
  ClientRequest request = request_to("/x");
  request.resend = false;
  const Answer answer = send_once(client, std::move(request));
  ASSERT_FALSE(answer);
  EXPECT_FALSE(answer.error().timed_out);
}

TEST_F(HttpClient, UsesANewConnectionWhereAsked) {
  peer([&] {
    const std::vector<RawSocket> kept = keep(1);
    answer_on_a_new_connection();
  });
  Client client = make_client();
  EXPECT_TRUE(post_once(client));
  ClientRequest request = request_to("/x");
  request.new_connection = true;
  const Answer answer = send_once(client, std::move(request));
  client.close();
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "new");
}

TEST_F(HttpClient, DoesNotUseAConnectionThatWasIdleForTooLong) {
  peer([&] {
    const std::vector<RawSocket> kept = keep(1);
    answer_on_a_new_connection();
  });
  Client client(context.get_executor(), origin(), milliseconds(0));
  EXPECT_TRUE(post_once(client));
  const Answer answer = post_once(client);
  client.close();
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "new");
}

TEST_F(HttpClient, UsesNoKeptConnectionAfterOneGaveNoAnswer) {
  peer([&] {
    const std::vector<RawSocket> kept = keep(3);
    answer_on_a_new_connection();
  });
  Client client = make_client();
  run([&]() -> Task<> {
    for (int i = 0; i < 3; ++i) {
      boost::asio::co_spawn(context, client.send(request_to("/x"), seconds(5)),
                            [](const std::exception_ptr&, const Answer& answer) { EXPECT_TRUE(answer); });
    }
    co_return;
  });
  const Answer lost = post_once(client, milliseconds(50));
  const Answer answer = post_once(client);
  client.close();
  ASSERT_FALSE(lost);
  EXPECT_TRUE(lost.error().timed_out);
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "new");
}

TEST_F(HttpClient, DoesNotSendAgainWhenAnAnswerHadBegun) {
  peer([&] {
    RawSocket socket = listener.accept();
    socket.read_message();
    socket.send(ok);
    socket.read_message();
    socket.send("HTTP/1.1 200");
  });
  Client client = make_client();
  EXPECT_TRUE(post_once(client));
  EXPECT_FALSE(post_once(client));
}

TEST_F(HttpClient, CloseEndsWhatIsUnderWay) {
  peer([&] {
    RawSocket socket = listener.accept();
    socket.read_message();
    boost::asio::post(context, [this] { closing(); });
    socket.read_to_end();
  });
  Client client = make_client();
  closing = [&] { client.close(); };
  const Answer answer = post_once(client);
  ASSERT_FALSE(answer);
  EXPECT_FALSE(answer.error().timed_out);
  EXPECT_FALSE(post_once(client));
}

}  // namespace
}  // namespace call_service::http
