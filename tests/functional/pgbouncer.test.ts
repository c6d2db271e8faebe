import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Api, type Answer, type Call } from '../support/api.ts';
import { createDatabase, type Database } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { expectInvariants } from '../support/invariants.ts';
import { PgBouncer } from '../support/pgbouncer.ts';
import { runService, Service } from '../support/service.ts';
import { expectProblem } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, deliver, events, roomOf } from '../support/webhooks.ts';

// Fewer than each process has connections: a statement prepared in one transaction is missing in the next, or is
// another's.
const sessions = 2;

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));

let database: Database;
let bouncer: PgBouncer;
let url: string;
let livekit: FakeLiveKit;
let replicas: Service[];
let apis: [Api, Api];

beforeAll(async () => {
  database = await createDatabase('postgresql');
  livekit = await FakeLiveKit.start();
  bouncer = await PgBouncer.start(database.url, sessions);
  url = `${bouncer.urlOf(database.url)}?prepared=false`;
  // Both find an empty database.
  replicas = await Promise.all(times(2, () => Service.start(database, { DATABASE_URL: url, LIVEKIT_URL: livekit.url })));
  apis = replicas.map(({ port }) => new Api(port)) as [Api, Api];
});
afterAll(async () => {
  apis?.forEach((api) => api.close());
  try {
    for (const replica of replicas ?? []) await replica.stop();
    if (replicas) await expectInvariants(database);
  } finally {
    await livekit?.stop();
    await bouncer?.stop();
    await database?.remove();
  }
});

const start = async (body: object = {}): Promise<Call> => {
  const { status, text, body: call } = await apis[0].startCall({ caller_id: 'ada', ...body });
  expect(status, text).toBe(201);
  livekit.rooms.set(call.room_name, []);
  return call;
};

/** Sends one request to each process in turn; the numbers of answers by status. */
async function inTurn(count: number, ask: (api: Api, index: number) => Promise<{ status: number }>): Promise<Record<number, number>> {
  const answers = await Promise.all(times(count, (index) => ask(apis[index % 2]!, index)));
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

it('two processes play a call from its start to the deletion of its room', async () => {
  const [one, other] = apis;
  const call = await start();
  const joined = (await other.join(call.call_id, 'bob')).body;
  const room = roomOf(call.call_id);
  const bob = connectionFor(joined, 'bob');
  const event = events.joined(room, bob);
  expect((await deliver(one, event)).body).toEqual({ result: 'applied' });
  expect((await deliver(other, event)).body).toEqual({ result: 'duplicate' });
  expect((await one.call(call.call_id)).body.sessions).toMatchObject([{ user_id: 'ada', status: 'pending' }, { user_id: 'bob', status: 'active' }]);
  expect((await other.get(`/calls?user_id=bob&status=active`)).body.data).toMatchObject([{ call_id: call.call_id, participant_count: 1 }]);
  expect((await other.leave(call.call_id, 'bob')).body).toMatchObject({ session_id: joined.session_id, status: 'ended' });
  expect((await one.get('/users/bob')).status).toBe(200);
  expect((await one.end(call.call_id)).body).toMatchObject({ status: 'ended', participant_count: 0 });
  await until(async () => (await other.call(call.call_id)).body.room_deletion === 'done', { what: 'the room is deleted' });
  expect(livekit.callsOf('DeleteRoom', call.room_name)).toHaveLength(1);
  const timeline = (await other.get(`/calls/${call.call_id}/timeline`)).body.data as { type: string }[];
  expect(timeline.map(({ type }) => type)).toEqual(expect.arrayContaining(['call.started', 'session.joined', 'session.left', 'call.ended', 'room.deleted']));
});

it('many at once on both: places, starts and events count once', async () => {
  const call = await start({ max_participants: 10 });
  expect(await inTurn(40, (api, index) => api.join(call.call_id, `guest-${index}`))).toEqual({ 200: 9, 409: 31 });
  const call_id = randomUUID();
  expect(await inTurn(20, (api) => api.startCall({ caller_id: 'eve', call_id }))).toEqual({ 201: 1, 200: 19 });
  const event = events.finished(roomOf(call.call_id));
  const results = await Promise.all(times(8, (index) => deliver(apis[index % 2]!, event)));
  expect(results.map(({ body }) => body.result).toSorted()).toEqual(['applied', ...times(7, () => 'duplicate')]);
  expect(await inTurn(20, (api) => api.end(call_id))).toEqual({ 200: 20 });
});

it('calls of many kinds in the same batches, and each has its own answer', async () => {
  const calls = await Promise.all(times(20, () => start()));
  expect(
    await inTurn(200, async (api, index) => {
      const { call_id } = calls[index % calls.length]!;
      const user = `user-${index}`;
      const isRead = index % 3 === 0;
      const answer: Answer = isRead ? await api.call(call_id) : await api.join(call_id, user);
      expect(answer.body).toMatchObject(isRead ? { call_id } : { call_id, user_id: user });
      return answer;
    }),
  ).toEqual({ 200: 200 });
});

it('the commands work, and leave the sessions of the server as they were', async () => {
  const empty = await createDatabase('postgresql');
  const through = bouncer.urlOf(empty.url);
  for (const command of ['migrate upgrade', 'migrate downgrade base', 'migrate upgrade head', 'migrate check']) {
    expect(await runService(command.split(' '), `${through}?prepared=false`), command).toMatchObject({ code: 0, stderr: '' });
  }
  expect((await runService(['doctor'], `${through}?prepared=false`)).stdout).toMatch(/PostgreSQL \d+/);
  // Each in a transaction of its own: that is every session there is.
  const clients = times(sessions, () => new pg.Client({ connectionString: through }));
  try {
    for (const client of clients) {
      await client.connect();
      await client.query('begin');
      const changed = `select name, setting from pg_settings where source = 'session' and name <> 'application_name'`;
      expect((await client.query(changed)).rows).toEqual([]);
      expect((await client.query('select name from pg_prepared_statements')).rows).toEqual([]);
    }
  } finally {
    for (const client of clients) await client.end();
    await empty.remove();
  }
});

const serves = async (api: Api): Promise<string> =>
  until(async () => (await api.startCall({ caller_id: 'ada' })).body.call_id as string | undefined, { timeout: 20_000, what: 'it serves again' });

it('all is well again after the server cut its sessions', async () => {
  await database.execute('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()');
  for (const api of apis) await serves(api);
});

it('while the pooler is away: 503; and all is well again when it is back', async () => {
  await bouncer.stop();
  for (const api of apis) {
    expectProblem(await api.startCall({ caller_id: 'ada' }), 503, 'database_unavailable');
    expect((await api.get('/ready')).status).toBe(503);
  }
  await bouncer.restart();
  for (const api of apis) {
    const call = await serves(api);
    expect((await apis[0].call(call)).status).toBe(200);
  }
});
