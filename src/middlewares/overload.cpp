#include "middlewares/overload.hpp"

#include "database/engine.hpp"

namespace call_service::middlewares {

namespace {

bool is_refused_last(Work work) {
  return work == Work::end || work == Work::webhook;
}

}  // namespace

std::string_view name_of(Work work) {
  switch (work) {
    case Work::none:
      return "";
    case Work::read:
      return "read";
    case Work::write:
      return "write";
    case Work::end:
      return "end";
    case Work::webhook:
      return "webhook";
  }
  std::unreachable();
}

std::optional<BodyMemory::Taken> BodyMemory::take(Work work, std::size_t bytes) {
  const std::size_t most = is_refused_last(work) ? bytes_ : bytes_ / 2;
  std::size_t used = used_.load(std::memory_order_relaxed);
  do {
    if (used + bytes > most) return std::nullopt;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return std::make_optional<Taken>(*this, bytes);
}

// A webhook is read about before it is written.
bool Overload::has_room(Work work) const {
  using enum db::CommandKind::Access;
  if (work == Work::none) return true;
  const auto share = is_refused_last(work) ? db::Share::whole : db::Share::half;
  if (work == Work::webhook && !engine_.has_room(read, share)) return false;
  return engine_.has_room(work == Work::read ? read : write, share);
}

}  // namespace call_service::middlewares
