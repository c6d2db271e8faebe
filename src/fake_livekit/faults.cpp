#include "fake_livekit/faults.hpp"

#include <cstddef>
#include <vector>

namespace call_service::fake_livekit {

Fault FaultBook::add(Fault fault) {
  const std::lock_guard lock(mutex_);
  fault.id = ++last_id_;
  return faults_.emplace_back(std::move(fault));
}

std::vector<Fault> FaultBook::all() const {
  const std::lock_guard lock(mutex_);
  return faults_;
}

bool FaultBook::remove(std::int64_t id) {
  const std::lock_guard lock(mutex_);
  return std::erase_if(faults_, [id](const Fault& fault) { return fault.id == id; }) != 0;
}

void FaultBook::clear() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

std::optional<Fault> FaultBook::strike(FaultTarget target, std::string_view subject, std::string_view room) {
  const std::lock_guard lock(mutex_);
  const auto is_meant = [&](const Fault& fault) {
    return fault.target == target && fault.only.value_or(std::string(subject)) == subject &&
           fault.room.value_or(std::string(room)) == room;
  };
  for (std::size_t i = faults_.size(); i-- > 0;) {
    if (!is_meant(faults_[i]) || !random_.chance(faults_[i].percent)) continue;
    Fault fault = faults_[i];
    if (faults_[i].times && --*faults_[i].times == 0) faults_.erase(faults_.begin() + static_cast<std::ptrdiff_t>(i));
    return fault;
  }
  return std::nullopt;
}

}  // namespace call_service::fake_livekit
