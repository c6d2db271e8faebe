#include "livekit/room_service_client.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <exception>

#include "jose/base64.hpp"
#include "jose/jws.hpp"

namespace call_service::livekit {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using Kind = ApiError::Kind;

const ApiKey key{"devkey", "0123456789abcdef0123456789abcdef"};

class FixedClock final : public Clock {
 public:
  Timestamp now() const override { return Timestamp(1767225600s); }
};
const FixedClock fixed_clock;

// Answers one request a connection with what it was told to, and keeps what it was sent.
class FakeLiveKit {
 public:
  explicit FakeLiveKit(asio::io_context& context)
      : acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

  http::Origin origin() const {
    return {
        .tls = false, .host = "127.0.0.1", .port = std::to_string(acceptor_.local_endpoint().port()), .base_path = ""};
  }

  void answer(int status, std::string body) { answers_.push_back({status, std::move(body)}); }
  const std::vector<std::string>& requests() const { return requests_; }
  void stop() { acceptor_.close(); }

  Task<> serve() {
    for (;;) {
      boost::system::error_code error;
      tcp::socket socket(acceptor_.get_executor());
      co_await acceptor_.async_accept(socket, asio::redirect_error(token, error));
      if (error) {
        co_return;
      }
      co_await serve_one(std::move(socket));
    }
  }

 private:
  using Token = asio::use_awaitable_t<Executor>;
  static constexpr Token token{};

  struct Answer {
    int status;
    std::string body;
  };

  Task<> serve_one(tcp::socket socket) {
    std::string request;
    boost::system::error_code error;
    const std::size_t head = co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n",
                                                             asio::redirect_error(token, error));
    const std::size_t length = content_length(request);
    if (request.size() < head + length) {
      co_await asio::async_read(socket, asio::dynamic_buffer(request),
                                asio::transfer_exactly(head + length - request.size()),
                                asio::redirect_error(token, error));
    }
    requests_.push_back(request);
    if (answers_.empty()) {
      co_return;
    }
    const Answer answer = std::move(answers_.front());
    answers_.pop_front();
    const std::string response = "HTTP/1.1 " + std::to_string(answer.status) +
                                 " x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
                                 std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
    co_await asio::async_write(socket, asio::buffer(response), asio::redirect_error(token, error));
  }

  static std::size_t content_length(const std::string& request) {
    const std::string name = "Content-Length: ";
    const auto at = request.find(name);
    return at == std::string::npos ? 0 : std::stoul(request.substr(at + name.size()));
  }

  tcp::acceptor acceptor_;
  std::deque<Answer> answers_;
  std::vector<std::string> requests_;
};

class RoomService : public testing::Test {
 protected:
  RoomService() : server_(context_), client_(context_.get_executor(), server_.origin(), key, fixed_clock, 2s) {
    asio::co_spawn(context_.get_executor(), server_.serve(), [](std::exception_ptr thrown) {
      if (thrown) {
        std::rethrow_exception(thrown);
      }
    });
  }

  ~RoomService() override {
    server_.stop();
    client_.close();
    context_.restart();
    context_.run();
  }

  // Runs until the call has answered.
  template <typename T>
  T run(Task<T> task) {
    std::optional<T> result;
    std::exception_ptr failure;
    asio::co_spawn(context_.get_executor(), std::move(task), [&](std::exception_ptr thrown, T value) {
      failure = thrown;
      result = std::move(value);
      context_.stop();
    });
    context_.restart();
    context_.run();
    if (failure) {
      std::rethrow_exception(failure);
    }
    return std::move(*result);
  }

  // What the last request was: its first line and its body.
  std::string first_line() const { return server_.requests().back().substr(0, server_.requests().back().find("\r\n")); }
  std::string sent_body() const {
    return server_.requests().back().substr(server_.requests().back().find("\r\n\r\n") + 4);
  }

  asio::io_context context_{1};
  FakeLiveKit server_;
  RoomServiceClient client_;
};

const std::string absent = R"({"code":"not_found","msg":"twirp error unknown: participant does not exist"})";

TEST_F(RoomService, deletes_a_room) {
  server_.answer(200, "{}");
  EXPECT_EQ(run(client_.delete_room("call-42")).value(), Removal::removed);
  EXPECT_EQ(first_line(), "POST /twirp/livekit.RoomService/DeleteRoom HTTP/1.1");
  EXPECT_EQ(sent_body(), R"({"room":"call-42"})");
  EXPECT_NE(server_.requests().back().find("Content-Type: application/json\r\n"), std::string::npos);
}

TEST_F(RoomService, creates_a_room) {
  const RoomSettings settings{.name = "call-42", .empty_timeout = Seconds(60), .departure_timeout = Seconds(5)};
  server_.answer(200, R"({"sid":"RM_1","name":"call-42"})");
  EXPECT_TRUE(run(client_.create_room(settings)).has_value());
  EXPECT_EQ(first_line(), "POST /twirp/livekit.RoomService/CreateRoom HTTP/1.1");
  EXPECT_EQ(sent_body(), R"({"name":"call-42","emptyTimeout":60,"departureTimeout":5})");
  server_.answer(200, R"({"sid":"RM_1","name":"call-43"})");
  EXPECT_EQ(run(client_.create_room(settings)).error().kind, Kind::refused);
  server_.answer(404, absent);
  EXPECT_EQ(run(client_.create_room(settings)).error().kind, Kind::refused);
}

TEST_F(RoomService, brings_a_service_token_of_the_room) {
  server_.answer(200, "{}");
  ASSERT_TRUE(run(client_.delete_room("call-42")).has_value());
  const std::string& request = server_.requests().back();
  const std::string name = "Authorization: Bearer ";
  const auto begin = request.find(name) + name.size();
  const std::string token = request.substr(begin, request.find("\r\n", begin) - begin);
  EXPECT_EQ(token, make_service_token(key, "call-42", fixed_clock.now()));
}

TEST_F(RoomService, takes_not_found_for_gone) {
  server_.answer(404, absent);
  EXPECT_EQ(run(client_.delete_room("call-42")).value(), Removal::not_found);
  server_.answer(404, absent);
  EXPECT_EQ(run(client_.remove_participant("call-42", "user \"7\"")).value(), Removal::not_found);
  EXPECT_EQ(sent_body(), R"({"room":"call-42","identity":"user \"7\""})");
  server_.answer(404, absent);
  EXPECT_EQ(run(client_.get_participant("call-42", "user-7")).value(), std::nullopt);
  server_.answer(404, absent);
  EXPECT_TRUE(run(client_.list_participants("call-42")).value().empty());
}

TEST_F(RoomService, does_not_take_another_404_for_gone) {
  for (const char* body :
       {R"({"code":"bad_route","msg":"no handler for path"})", "404 page not found", "", "{}", R"({"msg":"not_found"})",
        R"({"code":["not_found"]})", R"({"code":"unknown","msg":"not_found"})"}) {
    server_.answer(404, body);
    const auto removal = run(client_.delete_room("call-42"));
    ASSERT_FALSE(removal.has_value()) << body;
    EXPECT_EQ(removal.error().kind, Kind::refused) << body;
  }
  server_.answer(404, absent);
  EXPECT_EQ(run(client_.list_rooms({"a"})).error().kind, Kind::refused);
}

TEST_F(RoomService, tells_outages_from_refusals) {
  const std::pair<int, Kind> kinds[] = {{408, Kind::unreachable}, {502, Kind::unreachable}, {503, Kind::unreachable},
                                        {504, Kind::unreachable}, {400, Kind::refused},     {401, Kind::refused},
                                        {412, Kind::refused},     {429, Kind::refused},     {500, Kind::refused},
                                        {501, Kind::refused},     {301, Kind::refused},     {204, Kind::refused}};
  for (const auto& [status, kind] : kinds) {
    server_.answer(status, status == 204 ? "" : R"({"code":"unknown","msg":"could not find object"})");
    const auto removal = run(client_.delete_room("call-42"));
    ASSERT_FALSE(removal.has_value()) << status;
    EXPECT_EQ(removal.error().kind, kind) << status;
    EXPECT_TRUE(removal.error().what.starts_with("DeleteRoom: HTTP " + std::to_string(status))) << removal.error().what;
  }
}

TEST_F(RoomService, tells_what_livekit_itself_says) {
  server_.answer(503, R"({"code":"unavailable","msg":"no response from servers"})");
  const auto nowhere = run(client_.list_participants("call-42")).error();
  EXPECT_TRUE(nowhere.is_nowhere());
  EXPECT_FALSE(nowhere.refuses_us());
  server_.answer(503, "<html>Service Unavailable</html>");
  EXPECT_FALSE(run(client_.list_participants("call-42")).error().is_nowhere());
}

TEST_F(RoomService, tells_who_refuses_us_from_who_refuses_this) {
  const std::pair<int, std::string> of_us[] = {{401, "invalid API key: devkey"},
                                               {401, R"({"code":"unauthenticated","msg":"permissions denied"})"},
                                               {403, R"({"code":"permission_denied"})"},
                                               {404, R"({"code":"bad_route"})"},
                                               {404, "404 page not found"},
                                               {200, "<html></html>"}};
  for (const auto& [status, body] : of_us) {
    server_.answer(status, body);
    EXPECT_TRUE(run(client_.delete_room("call-42")).error().refuses_us()) << status << body;
  }
  for (const std::string code : {"unknown", "internal", "invalid_argument", "resource_exhausted"}) {
    server_.answer(500, R"({"code":")" + code + "\"}");
    EXPECT_FALSE(run(client_.delete_room("call-42")).error().refuses_us()) << code;
  }
}

TEST_F(RoomService, never_repeats_what_livekit_says_of_the_token) {
  const std::string token = make_service_token(key, "call-42", fixed_clock.now());
  for (const std::string& body : {"invalid token: " + token + ", error: expired", R"({"code":")" + token + "\"}",
                                  R"({"code":"unauthenticated","msg":")" + token + "\"}"}) {
    server_.answer(401, body);
    const auto refused = run(client_.delete_room("call-42"));
    EXPECT_EQ(refused.error().kind, Kind::refused);
    EXPECT_EQ(refused.error().what.find("eyJ"), std::string::npos) << refused.error().what;
    server_.answer(200, body);
    EXPECT_EQ(run(client_.list_rooms({})).error().what.find("eyJ"), std::string::npos);
  }
  server_.answer(401, R"({"code":"unauthenticated","msg":"permissions denied"})");
  EXPECT_EQ(run(client_.delete_room("call-42")).error().what, "DeleteRoom: HTTP 401 unauthenticated");
}

TEST_F(RoomService, is_unreachable_without_an_answer) {
  EXPECT_EQ(run(client_.delete_room("call-42")).error().kind, Kind::unreachable);
  EXPECT_EQ(run(client_.list_rooms({})).error().kind, Kind::unreachable);
  server_.stop();
  EXPECT_EQ(run(client_.get_participant("call-42", "user-7")).error().kind, Kind::unreachable);
  EXPECT_EQ(run(client_.probe(2s)).error().kind, Kind::unreachable);
}

// As livekit-server 1.13.5 writes it.
const std::string participant =
    R"({"sid":"PA_khysbZANzdbr", "identity":"user-7", "state":"ACTIVE", "tracks":[], "metadata":"", "joined_at":"1767225610", )"
    R"("joined_at_ms":"1767225610456", "name":"Zoe", "version":2, "permission":{"can_subscribe":true}, "region":"", "is_publisher":false, )"
    R"("kind":"STANDARD", "attributes":{"call_id":"c", "session_id":"s-1"}, "disconnect_reason":"UNKNOWN_REASON", "kind_details":[], )"
    R"("client_protocol":2, "capabilities":["CAP_PACKET_TRAILER"]})";

TEST_F(RoomService, gets_a_participant) {
  server_.answer(200, participant);
  const auto found = run(client_.get_participant("call-42", "user-7")).value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->sid, "PA_khysbZANzdbr");
  EXPECT_EQ(found->identity, "user-7");
  EXPECT_EQ(found->state, "ACTIVE");
  EXPECT_EQ(found->kind, "STANDARD");
  EXPECT_EQ(found->joined_at, Timestamp(1767225610456ms));
  EXPECT_EQ(found->session_id, "s-1");
}

TEST_F(RoomService, refuses_a_participant_that_is_none) {
  for (const char* body :
       {"", "null", "[]", "{}", "<html>", R"({"sid":"PA_1"})", R"({"sid":"","identity":"user-7"})",
        R"({"sid":"PA_1","identity":"user-8","state":"ACTIVE"})", R"({"sid":"PA_1","identity":"user-7","state":[]})",
        R"({"sid":"PA_1","identity":"user-7","joined_at":"soon"})"}) {
    server_.answer(200, body);
    const auto found = run(client_.get_participant("call-42", "user-7"));
    ASSERT_FALSE(found.has_value()) << body;
    EXPECT_EQ(found.error().kind, Kind::refused);
    EXPECT_TRUE(found.error().what.starts_with("unexpected answer")) << found.error().what;
  }
}

TEST_F(RoomService, lists_participants) {
  server_.answer(200, R"({"participants":[)" + participant + R"(, {"sid":"PA_2","identity":"bot","kind":"AGENT"}]})");
  const auto list = run(client_.list_participants("call-42")).value();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].identity, "user-7");
  EXPECT_EQ(list[1].kind, "AGENT");
  EXPECT_EQ(list[1].state, "JOINING");
  EXPECT_EQ(list[1].joined_at, std::nullopt);
  server_.answer(200, R"({"participants":[]})");
  EXPECT_TRUE(run(client_.list_participants("call-42")).value().empty());
}

TEST_F(RoomService, lists_rooms) {
  server_.answer(
      200,
      R"({"rooms":[{"sid":"RM_1", "name":"call-42", "creation_time":"1767225600", "creation_time_ms":"1767225600123", "version":null}, {"sid":"RM_2","name":""}]})");
  const auto rooms = run(client_.list_rooms({"call-42", "x\ny"})).value();
  EXPECT_EQ(sent_body(), R"({"names":["call-42","x\ny"]})");
  ASSERT_EQ(rooms.size(), 2U);
  EXPECT_EQ(rooms[0].sid, "RM_1");
  EXPECT_EQ(rooms[0].name, "call-42");
  EXPECT_EQ(rooms[0].created_at, Timestamp(1767225600123ms));
  EXPECT_EQ(rooms[1].created_at, std::nullopt);
  server_.answer(200, R"({"rooms":[]})");
  EXPECT_TRUE(run(client_.list_rooms({})).value().empty());
  EXPECT_EQ(sent_body(), R"({"names":[]})");
}

TEST_F(RoomService, never_takes_a_broken_answer_for_an_empty_list) {
  for (const char* body :
       {"", "{}", "null", "[]", "OK", R"({"rooms":null,"participants":null})", R"({"rooms":{},"participants":{}})",
        R"({"rooms":[1],"participants":[1]})", R"({"rooms":[{}],"participants":[{}]})",
        R"({"rooms":[{"sid":"RM_1"}],"participants":[{"sid":"PA_1"}]})", R"({"rooms":[],"participants":[])"}) {
    server_.answer(200, body);
    const auto rooms = run(client_.list_rooms({}));
    ASSERT_FALSE(rooms.has_value()) << body;
    EXPECT_EQ(rooms.error().kind, Kind::refused);
    server_.answer(200, body);
    const auto participants = run(client_.list_participants("call-42"));
    ASSERT_FALSE(participants.has_value()) << body;
    EXPECT_EQ(participants.error().kind, Kind::refused);
  }
}

TEST_F(RoomService, probes) {
  server_.answer(200, R"({"rooms":[]})");
  EXPECT_TRUE(run(client_.probe(2s)).has_value());
  EXPECT_EQ(first_line(), "POST /twirp/livekit.RoomService/ListRooms HTTP/1.1");
  server_.answer(401, "invalid API key: devkey");
  EXPECT_EQ(run(client_.probe(2s)).error().kind, Kind::refused);
}

}  // namespace
}  // namespace call_service::livekit
