#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace call_service {

// The executor of a serving thread: each thread runs one single-threaded io_context, so what runs on it needs no lock.
using Executor = boost::asio::io_context::executor_type;

// A coroutine on a serving thread. Expected outcomes are returned (Result<T>); an exception means an outage or a bug
// and is caught once, in http::Connection.
template <typename T = void>
using Task = boost::asio::awaitable<T, Executor>;

}  // namespace call_service
