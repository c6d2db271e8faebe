import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Api, type Answer, type Call } from '../support/api.ts';
import { createDatabase, type Database } from '../support/database.ts';
import { expectInvariants } from '../support/invariants.ts';
import { Service } from '../support/service.ts';
import { until, within } from '../support/wait.ts';

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));

let database: Database;
let service: Service;
let api: Api;
let other: pg.Client | undefined;

beforeEach(async () => {
  database = await createDatabase('postgresql');
  service = await Service.start(database);
  api = new Api(service.port);
});
afterEach(async () => {
  await other?.end().catch(() => undefined);
  other = undefined;
  api.close();
  // Ends it where the test has not done so.
  await service.kill();
  await database.remove();
});

const start = async (body: object = {}): Promise<Call> => (await api.startCall({ caller_id: 'ada', ...body })).body;

/** Another program's transaction holds the call's row until it is told to let go. */
async function holdRow(call: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => undefined);
  other = client;
  await client.connect();
  await client.query('begin');
  await client.query('select call_id from calls where call_id = $1 for update', [call]);
  return client;
}

const someoneWaits = (): Promise<unknown> =>
  until(
    async () => {
      const sql = `select pid from pg_stat_activity where application_name = 'call-service' and wait_event_type = 'Lock'
        and datname = current_database()`;
      return (await database.query(sql)).length > 0;
    },
    { what: 'the service waits for the row' },
  );

/** Complete once the service is gone: a server process counts for itself at first. */
async function rollbacks(): Promise<number> {
  const [row] = await database.query<{ count: string }>(
    'select xact_rollback::text as count from pg_stat_database where datname = current_database()',
  );
  return Number(row?.count);
}

/** A call with so many users in it. */
async function callWith(users: string[]): Promise<Call> {
  const call = await start();
  for (const user of users) expect((await api.join(call.call_id, user)).status).toBe(200);
  return call;
}

describe('a column whose type is changed under the running service', () => {
  it('gives no request the answer of another, and all is well when it is changed back', async () => {
    const calls: Call[] = [];
    // Where the column is null there is nothing in it to misread.
    for (let index = 0; index < 12; index += 1) calls.push(await start(index % 2 === 0 ? { max_participants: index + 2 } : {}));
    const expectOwn = (call: Call, answer: Answer): void => {
      if (answer.status >= 500) return;
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body).toMatchObject({ call_id: call.call_id, max_participants: call.max_participants });
    };
    const look = async (call: Call): Promise<void> => expectOwn(call, await api.call(call.call_id));
    await Promise.all(calls.map(look));

    await database.execute('alter table calls alter max_participants type int');
    for (let round = 0; round < 2; round += 1) {
      await Promise.all(calls.map(look));
      for (const call of calls) await look(call);
    }
    const joins = await Promise.all(calls.map((call) => api.join(call.call_id, 'bob')));
    joins.forEach(({ status, body }, index) => {
      if (status < 500) expect({ status, call_id: body.call_id }).toEqual({ status: 200, call_id: calls[index]!.call_id });
    });

    await database.execute('alter table calls alter max_participants type bigint');
    const recovered = async (): Promise<boolean> => {
      const answers = await Promise.all(calls.map((call) => api.call(call.call_id)));
      answers.forEach((answer, index) => expectOwn(calls[index]!, answer));
      expect(answers.map(({ status }) => status)).toEqual(calls.map(() => 200));
      return true;
    };
    await until(recovered, { timeout: 5_000, what: 'every call is answered again' });
    expect((await api.startCall({ caller_id: 'ada' })).status).toBe(201);
    await service.stop();
    await expectInvariants(database);
  });
});

describe('a row that another program holds', () => {
  it('does not keep the service from stopping cleanly', async () => {
    const users = times(3, (index) => `user-${index}`);
    const call = await callWith(users);
    const holder = await holdRow(call.call_id);
    const leaves = users.map((user) => api.leave(call.call_id, user).catch((error: Error) => error));
    await someoneWaits();
    const before = Date.now();
    const { code, signal } = await service.terminate();
    const took = Date.now() - before;
    expect({ code, signal }, service.output.slice(-2000)).toEqual({ code: 0, signal: null });
    expect(took).toBeLessThan(15_000);
    await holder.query('rollback');
    for (const answer of await Promise.all(leaves)) {
      if (!(answer instanceof Error)) expect([200, 503]).toContain(answer.status);
    }
    await expectInvariants(database);
  });

  it('delays nobody else', async () => {
    const users = times(8, (index) => `user-${index}`);
    const call = await callWith(users);
    const holder = await holdRow(call.call_id);
    const leave = (user: string): Promise<Answer> => api.leave(call.call_id, user);
    const leaves = users.slice(0, 4).map(leave);
    await someoneWaits();

    const before = Date.now();
    const clients = times(10, () => new Api(service.port));
    const starts = clients.map(async (client, index) => {
      const answers: Answer[] = [];
      for (let round = 0; round < 10; round += 1) {
        // Further ones for the held row come among the others.
        if (index === 0 && round % 2 === 0 && leaves.length < users.length) leaves.push(leave(users[leaves.length]!));
        answers.push(await client.startCall({ caller_id: `caller-${index}` }));
      }
      client.close();
      return answers;
    });
    const statuses = (await Promise.all(starts)).flat().map(({ status }) => status);
    expect(statuses).toEqual(times(100, () => 201));
    expect(Date.now() - before).toBeLessThan(4_000);
    expect(leaves).toHaveLength(users.length);

    await holder.query('rollback');
    for (const { status, text } of await within(Promise.all(leaves), 8_000, 'the leaves are answered')) {
      expect([200, 503], text).toContain(status);
    }
    for (const user of users) {
      await until(async () => (await leave(user)).body.status === 'ended', { what: `${user} has left` });
    }
    await service.stop();
    await expectInvariants(database);
    // Only the first leave met the row together with others; one more may have waited in vain.
    expect(await rollbacks()).toBeLessThanOrEqual(2);
  });
});

describe('a statement that always fails as if its plan were stale', () => {
  it('is an error of its request and of no other', async () => {
    const calls = await Promise.all(times(8, () => start()));
    await database.execute(`create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'never' using errcode = 'feature_not_supported'; end $$`);
    await database.execute('create trigger refuse before insert on calls for each row execute function refuse()');

    const before = Date.now();
    const refused = await Promise.all(times(6, () => api.startCall({ caller_id: 'ada' })));
    for (const { status, text } of refused) expect([500, 503], text).toContain(status);
    expect(Date.now() - before).toBeLessThan(6_000);
    const joins = await Promise.all(calls.map((call) => api.join(call.call_id, 'bob')));
    expect(joins.map(({ status }) => status)).toEqual(calls.map(() => 200));
    for (const call of calls) expect((await api.call(call.call_id)).body.call_id).toBe(call.call_id);

    const late = times(4, () => api.startCall({ caller_id: 'ada' }));
    for (const { status } of await Promise.all(late)) expect([500, 503]).toContain(status);
    await service.stop();
    await database.execute('drop trigger refuse on calls');
    await expectInvariants(database);
  });
});
