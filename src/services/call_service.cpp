#include "services/call_service.hpp"

#include "services/call_rules.hpp"
#include "services/domain_log.hpp"
#include "services/until_known.hpp"

namespace call_service::services {

namespace {

constexpr int first_sessions = 200;

Cause by(const Caller& caller) {
  return {.name = "api", .origin = caller.log_origin()};
}

void tell_admission(const models::Session& session, const repositories::Join& join, const Cause& cause) {
  if (session.session_id == join.new_session_id) {
    tell_session_created(session, cause);
  } else {
    tell_token_renewed(session, cause);
  }
}

std::unexpected<Error> no_such_call() {
  return fail(ErrorCode::call_not_found, "There is no call with this id.");
}

models::Call new_call(const StartRequest& request, Uuid call_id, Timestamp now) {
  models::Call call{.call_id = call_id, .caller_id = request.caller_id, .started_at = now};
  call.user_ids = request.user_ids;
  call.max_participants = request.max_participants;
  call.metadata = request.metadata;
  call.token_issued_at = now;
  return call;
}

models::Actor actor_of(const Caller& caller) {
  return {.id = caller.id, .type = caller.is_service() ? "service" : "user"};
}

models::Session new_session(const repositories::Join& join) {
  models::Session session{.session_id = join.new_session_id, .call_id = join.call_id, .user_id = join.user_id};
  session.name = join.name.value_or(join.first_name.value_or(join.user_id));
  session.created_at = join.now;
  session.token_expires_at = join.token_expires_at;
  return session;
}

}  // namespace

CallService::CallService(repositories::CallRepository& calls, const LivekitService& livekit, const Clock& clock,
                         std::function<void()> wake_outbox, RoomCreator* rooms)
    : calls_(calls), livekit_(livekit), clock_(clock), wake_outbox_(std::move(wake_outbox)), rooms_(rooms) {}

repositories::Join CallService::new_join(const Caller& caller, Uuid call_id, std::string user_id,
                                         std::optional<std::string> name) const {
  const Timestamp now = clock_.now();
  return {.call_id = call_id,
          .user_id = std::move(user_id),
          .acting_user = caller.acting_user(),
          .actor = actor_of(caller),
          .name = caller.name ? caller.name : name,
          .new_session_id = make_uuid_v7(now),
          .now = now,
          .token_expires_at = livekit_.expiry(now),
          .closes_at = now + rules::token_grace,
          .room = rooms_ != nullptr ? std::optional(rooms_->ask_for(call_id)) : std::nullopt};
}

// The answer is the same if it is not there in time: the client may try again, and who creates it goes on.
Task<void> CallService::wait_for_room(Admission& admission, const repositories::Join& join) const {
  if (join.room) admission.room_ready = co_await rooms_->wait_for(*join.room, admission.call.max_participants);
}

Task<Result<Admission>> CallService::start(const Caller& caller, StartRequest request) {
  if (!caller.acts_for(request.caller_id)) {
    co_return fail(ErrorCode::forbidden, "A user token may start calls only for its own user.");
  }
  const Uuid call_id = request.call_id ? *request.call_id : make_uuid_v7(clock_.now());
  // What a repetition says of the name is ignored; what the user token says counts.
  repositories::Join join = new_join(caller, call_id, request.caller_id, std::nullopt);
  join.first_name = request.name;
  repositories::NewCall started{.call = new_call(request, call_id, join.now),
                                .session = new_session(join),
                                .actor = join.actor,
                                .room = join.room};

  auto attempt = [&](bool again) { return start_once(started, join, again || request.call_id.has_value()); };
  auto outcome = co_await until_known<repositories::StartOutcome>(attempt);
  if (outcome.join.call->caller_id != request.caller_id) {
    co_return fail(ErrorCode::call_id_taken, "Another caller has a call with this id.");
  }
  auto admission = admit(caller, std::move(outcome.join), join);
  if (!admission) co_return std::unexpected(std::move(admission.error()));
  admission->created = outcome.created;
  if (outcome.created) tell_call_started(admission->call, by(caller));
  tell_admission(admission->session, join, by(caller));
  co_await wait_for_room(*admission, join);
  co_return admission;
}

// A call id of our own cannot have been used before, which is the quicker way.
Task<repositories::StartOutcome> CallService::start_once(const repositories::NewCall& started,
                                                         const repositories::Join& join, bool may_exist) {
  if (may_exist) {
    auto outcome = co_await calls_.start_chosen(started, join);
    const auto& made = outcome.join;
    // With our session and our start it was made by an attempt of ours, whose outcome was lost.
    if (made.session && made.session->session_id == join.new_session_id &&
        made.call->started_at == started.call.started_at) {
      outcome.created = true;
    }
    co_return outcome;
  }
  co_await calls_.start(started);
  co_return repositories::StartOutcome{.created = true,
                                       .join = {.call = started.call, .allowed = true, .session = started.session}};
}

Task<Result<Admission>> CallService::join(const Caller& caller, Uuid call_id, std::string user_id,
                                          std::optional<std::string> name) {
  if (!caller.acts_for(user_id)) {
    co_return std::unexpected(*co_await not_yours(call_id, "A user token may join calls only as its own user."));
  }
  repositories::Join join = new_join(caller, call_id, std::move(user_id), std::move(name));
  auto attempt = [&](bool) { return calls_.join(join); };
  auto outcome = co_await until_known<repositories::JoinOutcome>(attempt);
  auto admission = admit(caller, std::move(outcome), join);
  if (!admission) co_return admission;
  tell_admission(admission->session, join, by(caller));
  co_await wait_for_room(*admission, join);
  co_return admission;
}

Result<Admission> CallService::admit(const Caller& caller, repositories::JoinOutcome outcome,
                                     const repositories::Join& join) const {
  if (!outcome.call) return no_such_call();
  if (!caller.is_service() && !outcome.allowed)
    return fail(ErrorCode::forbidden, "This call is not open to this user.");
  if (!outcome.call->is_active()) return fail(ErrorCode::call_ended, "The call has ended.");
  if (!outcome.session) return fail(ErrorCode::call_full, "The call has as many participants as it may have.");
  auto ticket = livekit_.ticket(*outcome.call, *outcome.session, join.now, join.token_expires_at);
  return Admission{.created = false,
                   .call = std::move(*outcome.call),
                   .session = std::move(*outcome.session),
                   .ticket = std::move(ticket)};
}

Task<Result<models::Session>> CallService::leave(const Caller& caller, Uuid call_id, std::string user_id,
                                                 std::optional<Uuid> session_id) {
  if (!caller.acts_for(user_id)) {
    co_return std::unexpected(*co_await not_yours(call_id, "A user token may leave calls only as its own user."));
  }
  const Timestamp now = clock_.now();
  repositories::Leave leave{.call_id = call_id,
                            .user_id = std::move(user_id),
                            .session_id = session_id,
                            .actor = actor_of(caller),
                            .now = now,
                            .intent_id = make_uuid_v7(now)};
  auto attempt = [&](bool) { return calls_.leave(leave); };
  const auto outcome = co_await until_known<repositories::LeaveOutcome>(attempt);
  if (!outcome.call) co_return no_such_call();
  if (!outcome.session) co_return fail(ErrorCode::session_not_found, "The user has no such session in this call.");
  if (outcome.removal_requested) wake_outbox_();
  // Any other end is an older one.
  if (outcome.session->left_at == leave.now) tell_session_left(*outcome.session, by(caller));
  co_return *outcome.session;
}

Task<Result<models::Call>> CallService::end(const Caller& caller, Uuid call_id,
                                            std::optional<std::string> on_behalf_of) {
  if (on_behalf_of && !caller.acts_for(*on_behalf_of)) {
    co_return std::unexpected(*co_await not_yours(call_id, "A user token may end calls only as its own user."));
  }
  const auto ended_by = on_behalf_of ? models::Actor{.id = *on_behalf_of, .type = "user"} : actor_of(caller);
  const Timestamp now = clock_.now();
  repositories::End end{.call_id = call_id,
                        .required_caller = caller.acting_user(),
                        .ended_by = ended_by,
                        .now = now,
                        .intent_id = make_uuid_v7(now)};
  auto attempt = [&](bool) { return calls_.end(end); };
  const auto outcome = co_await until_known<repositories::EndOutcome>(attempt);
  if (!outcome.call) co_return no_such_call();
  if (!caller.acts_for(outcome.call->caller_id)) {
    co_return fail(ErrorCode::forbidden, "Only the caller may end the call.");
  }
  if (outcome.ended_now) {
    wake_outbox_();
    tell_call_ended(*outcome.call, by(caller));
  }
  co_return *outcome.call;
}

Task<Result<CallDetails>> CallService::find(const Caller& caller, Uuid call_id) {
  auto found = co_await calls_.find(call_id, caller.acting_user(), first_sessions + 1);
  if (!found) co_return no_such_call();
  if (!found->allowed) co_return fail(ErrorCode::forbidden, "This call is not open to this user.");
  CallDetails details{.call = std::move(found->call), .sessions = std::move(found->sessions)};
  details.has_more_sessions = details.sessions.size() > first_sessions;
  if (details.has_more_sessions) details.sessions.resize(first_sessions);
  co_return details;
}

// The resource comes before the permission: whoever may not act learns that the call is there, as everybody who has its
// id.
Task<std::optional<Error>> CallService::not_yours(Uuid call_id, std::string what) {
  const auto found = co_await calls_.find(call_id, std::nullopt, 0);
  if (!found) co_return no_such_call().error();
  co_return fail(ErrorCode::forbidden, std::move(what)).error();
}

}  // namespace call_service::services
