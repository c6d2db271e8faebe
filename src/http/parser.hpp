#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

// What the server's and the client's parser have in common. For connection.cpp and client.cpp only.
namespace call_service::http {

// Gathers the body, however it is framed, and passes over everything else.
template <bool is_request>
class BodyParser : public boost::beast::http::basic_parser<is_request> {
 public:
  using Field = boost::beast::http::field;
  using Text = boost::beast::string_view;
  using ErrorCode = boost::system::error_code;

  std::string body;

 protected:
  void on_request_impl(boost::beast::http::verb, Text, Text, int, ErrorCode&) override {}
  void on_response_impl(int, Text, int, ErrorCode&) override {}
  void on_field_impl(Field, Text, Text, ErrorCode&) override {}
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(Text part, ErrorCode&) override {
    body.append(part);
    return part.size();
  }
  // Nobody uses extensions of chunks; what they may add to a body is limited.
  void on_chunk_header_impl(std::uint64_t, Text extensions, ErrorCode& ec) override {
    extension_bytes_ += extensions.size();
    if (extension_bytes_ > 4 * 1024) ec = boost::beast::http::error::bad_chunk_extension;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, Text part, ErrorCode&) override {
    body.append(part);
    return part.size();
  }
  void on_finish_impl(ErrorCode&) override {}

 private:
  std::size_t extension_bytes_ = 0;
};

// Beast's reader of chunks asserts as many bytes; whatever is missing of a chunked body is at least "0\r\n\r\n".
inline constexpr std::size_t least_of_chunks = 5;

// Gives the parser what has come. What it leaves in the buffer (an unfinished head, line of a chunk, or trailer) may be
// `max_left` bytes long.
template <bool is_request>
boost::system::error_code feed(BodyParser<is_request>& parser, boost::beast::flat_buffer& input, std::size_t max_left) {
  const std::size_t needed = parser.is_header_done() && parser.chunked() ? least_of_chunks : 1;
  if (input.size() < needed) return {};
  boost::system::error_code ec;
  input.consume(parser.put(input.data(), ec));
  if (ec == boost::beast::http::error::need_more) ec = {};
  if (!ec && !parser.is_done() && input.size() > max_left) ec = boost::beast::http::error::header_limit;
  return ec;
}

}  // namespace call_service::http
