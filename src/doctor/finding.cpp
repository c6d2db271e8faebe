#include "doctor/finding.hpp"

namespace call_service::doctor {

Findings run_check(const std::string& area, std::function<Findings()> check) {
  try {
    if (auto findings = in_time(std::move(check))) return std::move(*findings);
    return {{Level::problem, area, "no answer within " + std::to_string(patience.count()) + " s",
             "Look for a firewall, a wrong address or an overloaded machine between here and there."}};
  } catch (const std::exception& error) {
    return {{Level::problem, area, error.what(), "Mend what the message says, then run doctor again."}};
  }
}

}  // namespace call_service::doctor
