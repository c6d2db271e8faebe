#pragma once

#include <algorithm>
#include <cstdint>

#include "http/message.hpp"
#include "http/parser.hpp"
#include "http/text.hpp"

// For connection.cpp only.
namespace call_service::http {

// Reads one request into a Request. Trailer fields are checked and dropped.
class RequestParser final : public BodyParser<true> {
 public:
  explicit RequestParser(std::size_t header_bytes) {
    header_limit(static_cast<std::uint32_t>(header_bytes + 1));  // one more: the whole head is measured by its reader
    body_limit(boost::none);
    request.headers.reserve(12);  // as many as clients usually send
  }

  Request request;
  bool http_1_1 = true;

 private:
  void on_request_impl(boost::beast::http::verb, Text method, Text target, int version, ErrorCode&) override {
    request.method = method_named(method);
    request.target = target;
    http_1_1 = version == 11;
  }
  void on_field_impl(Field, Text name, Text value, ErrorCode&) override {
    if (!in_body_) request.headers.emplace_back(name, value);
  }
  void on_header_impl(ErrorCode&) override { in_body_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override {
    if (length) body.reserve(std::min<std::size_t>(*length, 256 * 1024));
  }

  bool in_body_ = false;
};

}  // namespace call_service::http
