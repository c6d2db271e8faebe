#include "http/deadline.hpp"

namespace call_service::http {

void Deadline::begin() {
  waits_ = true;
  if (!sleeps_ || at_ < timer_.expiry()) sleep();
}

// The handler may run after the connection is gone.
void Deadline::sleep() {
  sleeps_ = true;
  timer_.expires_at(at_);
  timer_.async_wait([self = weak_from_this()](const boost::system::error_code& replaced) {
    const auto deadline = self.lock();
    if (deadline && !replaced) deadline->wake();
  });
}

void Deadline::wake() {
  sleeps_ = false;
  if (!waits_) return;
  if (Clock::now() < at_) return sleep();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace call_service::http
