#include "database/connection.hpp"

#include <algorithm>

namespace call_service::db {

namespace {

// A group takes one member a key, and only if its kind shares statements. Keys arrive in order, so a repeated key can
// only be the last one.
bool takes(const Group& group, const Member& member) {
  return group.kind == member.command->kind && group.kind->sharing == CommandKind::Sharing::statement &&
         group.members.back()->command->key != member.command->key;
}

}  // namespace

std::vector<Group> group_members(std::span<Member*> members) {
  std::ranges::sort(members, {}, [](const Member* member) { return member->command->key; });
  std::vector<Group> groups;
  for (Member* member : members) {
    const auto group = std::ranges::find_if(groups, [&](const Group& candidate) { return takes(candidate, *member); });
    if (group != groups.end()) {
      group->members.push_back(member);
    } else {
      groups.push_back({member->command->kind, {member}});
    }
  }
  return groups;
}

}  // namespace call_service::db
