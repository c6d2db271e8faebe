/**
 * Mistakes that somebody might make in the rules. Each must make the order property fail (tests/unit/call_rules_order_test.cpp
 * or webhook_order_test.cpp). `old` stands in `file` exactly once and is replaced by `changed`.
 */
const rules = 'src/services/call_rules.cpp';
const generations = 'src/services/call_generations.cpp';
const service = 'src/services/webhook_service.cpp';
const repository = 'src/database/repositories/call_decided.cpp';

export const mutations = [
  {
    name: 'ignore participant sid: a user has one session, whatever the connection',
    file: rules,
    old: 'if (Session* bound = find([&](const Session& s) { return s.participant_sid == fact.sid; })) return *bound;',
    changed: 'if (Session* bound = find([&](const Session& s) { return s.user_id == fact.identity; })) return *bound;',
  },
  {
    name: 'ignore room sid: every room is the same generation',
    file: generations,
    old: 'if (call.room_sid == fact.room_sid) {',
    changed: 'if (call.room_sid) {',
  },
  {
    name: 'reopen on joined: an ended session becomes active again',
    file: rules,
    old: 'if (session.status == SessionStatus::pending) {',
    changed: `if (session.status != SessionStatus::active && call_.is_active()) {
      session.left_at.reset();
      session.end_reason.reset();
      session.end_evidence.reset();`,
  },
  {
    name: 'no dedupe: an event is applied each time it comes',
    file: service,
    old: 'if (state->event_applied) {',
    changed: 'if (false) {',
  },
  {
    name: 'forget former generations: only the newest is known',
    file: generations,
    old: 'call.former_rooms->push_back(written(room));',
    changed: 'static_cast<void>(written(room));',
  },
  {
    name: 'the newest of two generations is the one that is told of last',
    file: generations,
    old: '< position(current)) {',
    changed: '< position({})) {',
  },
  {
    name: 'never look again at a finish that left the call open',
    file: rules,
    old: `if (!token_since && !began_since && !somebody_is_on_the_way())
      end_call(finished_at, "room_finished", EndEvidence::room);`,
    changed: 'static_cast<void>(token_since || began_since);',
  },
  {
    name: 'a guess is as good as a departure',
    file: rules,
    old: 'if (!session.is_open() && !is_provisional(*session.end_evidence)) return;',
    changed: 'if (!session.is_open()) return;',
  },
  {
    name: 'an older connection that is told of late replaces the newer',
    file: rules,
    old: 'return std::pair(*s->joined_at, *s->participant_sid); });',
    changed: 'return std::pair(s->session_id, *s->participant_sid); });',
  },
  {
    name: 'do not read the sessions that a former generation ended',
    file: repository,
    old: "OR (s.end_evidence = 'generation' AND c.room_sid <> i.room_sid)",
    changed: '',
  },
  {
    name: 'do not keep when the room was finished',
    file: repository,
    old: `{"room_deletion", "room_sid",         "room_created_at",
                                         "closes_at",     "room_finished_at", "former_rooms"};`,
    changed: '{"room_deletion", "room_sid", "room_created_at", "closes_at", "former_rooms"};',
  },
];
