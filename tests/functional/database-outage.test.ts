import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { PostgresDatabase, SqliteDatabase } from '../support/database.ts';
import { Cluster, withClient } from '../support/postgres.ts';
import { Running } from '../support/process.ts';
import { Service } from '../support/service.ts';
import { expectProblem } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { deliver, events, roomOf } from '../support/webhooks.ts';

let service: Service;
let api: Api;

/** `call` is one that was started before. */
async function expectOutage(call: string): Promise<void> {
  const before = Date.now();
  const [started, webhook] = await Promise.all([
    api.startCall({ caller_id: 'ada' }),
    deliver(api, events.started(roomOf(call))),
  ]);
  expectProblem(started, 503, 'database_unavailable');
  expect(Number(started.headers['retry-after'])).toBeGreaterThan(0);
  expectProblem(webhook, 503, 'database_unavailable');
  expect(webhook.headers['retry-after']).toBeUndefined();
  expect(Date.now() - before).toBeLessThan(9_000);
  expect((await api.get('/health')).status).toBe(200);
}

/** Waits until the service serves (again); the id of a new call. */
const serves = (): Promise<string> =>
  until(
    async () => {
      const { status, body } = await api.startCall({ caller_id: 'ada' });
      return status === 201 && body.call_id;
    },
    { timeout: 20_000, what: 'the service serves' },
  );

describe('PostgreSQL away', () => {
  let cluster: Cluster;
  let database: PostgresDatabase;

  beforeAll(async () => {
    cluster = await Cluster.create();
    database = await PostgresDatabase.create(cluster.url('postgres'));
    service = await Service.start(database);
    api = new Api(service.port);
  });
  afterAll(async () => {
    api?.close();
    await service?.stop();
    await cluster?.remove();
  });

  it('stopped: 503, not ready, and all well again without a restart', async () => {
    const call = await serves();
    await cluster.stop();
    await expectOutage(call);
    const ready = await api.get('/ready');
    expect({ status: ready.status, body: ready.body.status }).toEqual({ status: 503, body: 'not_ready' });
    await cluster.start();
    await serves();
    await until(async () => (await api.get('/ready')).status === 200);
  });

  it('frozen: 503 after 5 seconds, and all well again when it thaws', async () => {
    const call = await serves();
    await cluster.pause();
    try {
      await expectOutage(call);
    } finally {
      await cluster.resume();
    }
    await serves();
  });

  it('connections cut: all well again at once', async () => {
    const call = await serves();
    const others = `from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()`;
    for (let round = 0; round < 3; round += 1) {
      const pids = (await database.query<{ pid: number }>(`select pid ${others}`)).map(({ pid }) => pid);
      await database.execute(`select pg_terminate_backend(pid) ${others}`);
      const left = () => database.query(`select pid from pg_stat_activity where pid = any('{${pids.join()}}')`);
      await until(async () => (await left()).length === 0, { what: 'the connections have ended' });
      expect((await api.call(call)).status).toBe(200);
    }
    await serves();
  });

  it('that cannot commit, as its standby is gone: not ready', async () => {
    await serves();
    const waitsFor = (standby: string): Promise<void> =>
      withClient(cluster.url('postgres'), async (client) => {
        await client.query(`alter system set synchronous_standby_names = '${standby}'`);
        await client.query('select pg_reload_conf()');
      });
    await waitsFor('nobody');
    try {
      await until(async () => (await api.get('/ready')).status === 503, { timeout: 15_000, what: '/ready answers 503' });
    } finally {
      await waitsFor('');
    }
    await until(async () => (await api.get('/ready')).status === 200, { timeout: 15_000, what: '/ready answers 200' });
    await serves();
  });

  it('that takes no writes any more: 503 and not ready, but what is there can be read', async () => {
    const call = await serves();
    const sets = (value: string): Promise<void> =>
      withClient(cluster.url('postgres'), async (client) => {
        await client.query(`alter system set default_transaction_read_only = ${value}`);
        await client.query('select pg_reload_conf()');
      });
    const isReady = (wanted: number): Promise<unknown> =>
      until(async () => (await api.get('/ready')).status === wanted, { what: `/ready answers ${wanted}` });
    await sets('on');
    try {
      await isReady(503);
      for (let round = 0; round < 3; round += 1) {
        await expectOutage(call);
        expectProblem(await api.join(call, 'bob'), 503, 'database_unavailable');
        expectProblem(await api.end(call), 503, 'database_unavailable');
        expect((await api.call(call)).body).toMatchObject({ call_id: call, status: 'active' });
      }
    } finally {
      await sets('off');
    }
    await serves();
    await isReady(200);
  });

  it('an event refused then is applied when LiveKit tells it again', async () => {
    const call = (await api.startCall({ caller_id: 'ada' })).body;
    const event = events.finished(roomOf(call.call_id));
    await cluster.stop();
    expect((await deliver(api, event)).status).toBe(503);
    await cluster.start();
    await serves();
    await until(async () => (await deliver(api, event)).status === 200, { what: 'LiveKit gets rid of the event' });
    expect((await deliver(api, event)).body).toEqual({ result: 'duplicate' });
    expect((await api.call(call.call_id)).body.status).toBe('ended');
  });

  it('a call_id refused then can be started when it is back', async () => {
    const call_id = '01890000-0000-4000-8000-0000000000aa';
    await cluster.stop();
    expectProblem(await api.startCall({ caller_id: 'ada', call_id }), 503, 'database_unavailable');
    await cluster.start();
    await serves();
    expect([200, 201]).toContain((await api.startCall({ caller_id: 'ada', call_id })).status);
  });
});

describe('SQLite locked by another program', () => {
  let database: SqliteDatabase;
  let locker: Running | undefined;

  beforeAll(async () => {
    database = await SqliteDatabase.create();
    service = await Service.start(database);
    api = new Api(service.port);
  });
  afterEach(() => release());
  afterAll(async () => {
    api?.close();
    await service?.stop();
    await database?.remove();
  });

  async function lock(): Promise<void> {
    const program = new Running('sqlite3', [database.file]);
    locker = program;
    program.child.stdin?.write('.timeout 10000\nbegin immediate;\nselect 1;\n');
    await until(() => program.stdout.includes('1'));
  }

  async function release(): Promise<void> {
    locker?.child.stdin?.end('rollback;\n');
    await locker?.exited;
    locker = undefined;
  }

  it('503 after 5 seconds, and all well again when the lock is gone', async () => {
    const call = await serves();
    await lock();
    await expectOutage(call);
    await release();
    await serves();
  });

  it('a short lock is waited for', async () => {
    await serves();
    await lock();
    const started = api.startCall({ caller_id: 'patient' });
    await until(async () => (await api.get('/health')).status === 200);
    await release();
    expect((await started).status).toBe(201);
  });
});
