import { afterAll, beforeAll, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase } from '../support/database.ts';
import { Service, userToken } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { connectionFor, deliver, events, roomOf } from '../support/webhooks.ts';

// What a write costs is what PostgreSQL reads for it. Its plans are made while the tables are empty, as in a new installation, and kept:
// nothing tells PostgreSQL meanwhile that there is more by now.
const waiting = 20_000;
const open = 1_000;
const rounds = 40;
/** Of all rounds together: some rows each, and what the metrics count meanwhile, all that waits, every 2 s. */
const most = 200_000;

const database = await createDatabase('postgresql');
const service = await Service.start(database);
const api = new Api(service.port);

/** LiveKit has been away for long: rooms wait for their deletion, and people for their connection. */
const fill = `
  INSERT INTO users (user_id, created_at) SELECT 'u' || n, now() FROM generate_series(0, 100) n;
  INSERT INTO calls (call_id, caller_id, status, started_at, ended_at, end_reason, room_deletion)
    SELECT md5('call' || n)::uuid, 'u' || n % 100, CASE WHEN n > ${waiting} THEN 'active' ELSE 'ended' END, now(),
      CASE WHEN n <= ${waiting} THEN now() END, CASE WHEN n <= ${waiting} THEN 'ended' END, CASE WHEN n <= ${waiting} THEN 'pending' END
    FROM generate_series(1, ${waiting + open}) n;
  INSERT INTO outbox (intent_id, call_id, kind, created_at, due_at)
    SELECT call_id, call_id, 'delete_room', now(), now() + interval '1 day' FROM calls WHERE room_deletion = 'pending' ON CONFLICT DO NOTHING;
  INSERT INTO sessions (session_id, call_id, user_id, name, status, created_at, token_expires_at)
    SELECT call_id, call_id, caller_id, caller_id, 'pending', now(), now() + interval '1 day' FROM calls WHERE status = 'active'`;

async function rowsRead(): Promise<number> {
  const [sum] = await database.query<{ rows: number }>(
    'SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read)::int8 AS rows FROM pg_stat_user_tables',
  );
  return sum!.rows;
}

/** Everything that is written in the life of a call. */
async function live(): Promise<void> {
  const call = (await api.startCall({ caller_id: 'ada' })).body;
  const bob = (await api.join(call.call_id, 'bob')).body;
  const room = roomOf(call.call_id);
  for (const event of [
    events.started(room),
    events.joined(room, connectionFor(call, 'ada')),
    events.joined(room, connectionFor(bob, 'bob')),
  ]) {
    expect((await deliver(api, event)).body).toEqual({ result: 'applied' });
  }
  for (const answer of [
    await api.join(call.call_id, 'carol', {}, { as: userToken('carol') }),
    await api.leave(call.call_id, 'bob'),
    await api.join(call.call_id, 'bob'),
    await api.end(call.call_id),
    await api.end(call.call_id),
  ]) {
    expect(answer.status, answer.text).toBe(200);
  }
}

beforeAll(async () => {
  await database.execute(`ALTER TABLE calls SET (autovacuum_enabled = false); ALTER TABLE sessions SET (autovacuum_enabled = false);
    ALTER TABLE outbox SET (autovacuum_enabled = false)`);
  // Often enough for PostgreSQL to settle on its plans, on both of the connections that write.
  for (let round = 0; round < rounds; round++) await live();
  await database.execute(fill);
  await until(async () => {
    const [counted] = await database.query<{ rows: number }>("SELECT n_tup_ins::int8 AS rows FROM pg_stat_user_tables WHERE relname = 'calls'");
    return counted!.rows >= waiting + open;
  }, { what: 'PostgreSQL counts what was filled in' });
});

afterAll(async () => {
  api.close();
  await service.stop();
  await database.remove();
});

it('the life of a call reads as much when thousands wait as when there was nobody', async () => {
  const before = await rowsRead();
  for (let round = 0; round < rounds; round++) await live();
  const after = await until(async () => {
    const now = await rowsRead();
    return now > before && now;
  }, { what: 'PostgreSQL counts what was read' });
  expect(after - before).toBeLessThan(most);
});
