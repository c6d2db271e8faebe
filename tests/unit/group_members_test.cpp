#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "database/connection.hpp"

namespace call_service::db {
namespace {

const CommandKind join{.name = "join"};
const CommandKind leave{.name = "leave"};
const CommandKind claim{.name = "claim", .sharing = CommandKind::Sharing::commit};

Uuid key(int number) {
  Uuid id;
  id.bytes[15] = static_cast<std::uint8_t>(number);
  return id;
}

class GroupMembers : public testing::Test {
 protected:
  void add(const CommandKind& kind, int number) {
    commands_.push_back({.kind = &kind, .key = key(number)});
    members_.push_back({.command = &commands_.back(), .result = {}, .error = {}});
    batch_.push_back(&members_.back());
  }

  // "join 1 2, leave 3": the groups with their members' keys.
  std::string groups() {
    std::string text;
    for (const auto& group : group_members(batch_)) {
      text += (text.empty() ? "" : ", ") + group.kind->name;
      for (const Member* member : group.members) {
        EXPECT_EQ(member->command->kind, group.kind);
        text += " " + std::to_string(member->command->key.bytes[15]);
      }
    }
    return text;
  }

  std::deque<Command> commands_;
  std::deque<Member> members_;
  std::vector<Member*> batch_;
};

TEST_F(GroupMembers, OfNothingIsNothing) {
  EXPECT_EQ(groups(), "");
}

TEST_F(GroupMembers, TakesOneKindTogetherInTheOrderOfKeys) {
  for (const int number : {3, 1, 2}) add(join, number);
  EXPECT_EQ(groups(), "join 1 2 3");
}

TEST_F(GroupMembers, KeepsKindsApart) {
  add(join, 3);
  add(leave, 1);
  add(join, 2);
  add(leave, 4);
  EXPECT_EQ(groups(), "leave 1 4, join 2 3");
}

TEST_F(GroupMembers, PutsASecondCommandOfAKeyIntoAnotherGroup) {
  add(join, 1);
  add(join, 2);
  add(join, 1);
  add(join, 1);
  EXPECT_EQ(groups(), "join 1 2, join 1, join 1");
}

TEST_F(GroupMembers, KeepsThoseThatShareOnlyACommitAlone) {
  add(claim, 2);
  add(claim, 1);
  EXPECT_EQ(groups(), "claim 1, claim 2");
}

TEST_F(GroupMembers, LosesNobody) {
  for (int i = 0; i < 200; ++i) {
    add(i % 3 == 0 ? join : i % 3 == 1 ? leave : claim, i * 37 % 50);
  }
  std::size_t count = 0;
  for (const auto& group : group_members(batch_)) {
    count += group.members.size();
    EXPECT_TRUE(std::ranges::is_sorted(group.members, {}, [](const Member* member) { return member->command->key; }));
  }
  EXPECT_EQ(count, 200u);
}

}  // namespace
}  // namespace call_service::db
