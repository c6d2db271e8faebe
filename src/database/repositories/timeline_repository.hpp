#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "database/models/timeline_entry.hpp"
#include "database/repositories/repository.hpp"

namespace call_service::repositories {

// An entry as it is read: with the user whose session it is about.
struct TimelineItem {
  models::TimelineEntry entry{};
  std::optional<std::string> user_id{};
};

struct Timeline {
  bool allowed = false;  // the reader is the caller, listed, or has a session in it
  std::vector<TimelineItem> items{};
};

// The record of what happened to a call. Entries are written by the statements below, each of which belongs into the
// command that makes the change, behind its lock of the call's row and before the change itself: it repeats the
// change's condition and numbers its entries on from the call's last.
class TimelineRepository : public Repository<models::TimelineEntry> {
 public:
  using Repository::Repository;

  // Input: call_id, session_id, actor, actor_type, now. A call and its first session.
  static db::Statement start();
  // For any input with call_id, actor, actor_type and now; `condition` is on `i`, the input, and `c`, the call.
  static db::Statement entry(std::vector<db::Column> input, std::string_view type, std::string_view condition);
  // The same for a session of the input's session_id.
  static db::Statement session_entry(std::vector<db::Column> input, std::string_view type, std::string_view condition);
  // Every open session that `theirs`, a condition on `s`, the session, selects, leaves.
  static db::Statement leave(std::vector<db::Column> input, std::string_view theirs);
  // The call ends with its open sessions, and its room is to be deleted.
  static db::Statement end(std::vector<db::Column> input, std::string_view condition);
  // Input: the columns of an entry, whose `seq` follows the last one read, and `more`; `from`, FROM input i and its
  // condition.
  static db::Statement decided(std::vector<db::Column> more, std::string_view from);
  // Input: call_id, creation_id, intent_id, now. LiveKit was asked for the room of a call that has ended: it is to be
  // deleted.
  static db::Statement room_of_ended_call();
  // Input: call_id, intent_id, now. The intent was the deletion of the call's room, and it is done.
  static db::Statement room_deleted();

  // Entries after `after_seq`, at most `limit`, in order; nullopt: no such call. `reader`: a user token's user.
  Task<std::optional<Timeline>> find(Uuid call_id, std::optional<std::string> reader, std::int64_t after_seq,
                                     int limit);
};

}  // namespace call_service::repositories
