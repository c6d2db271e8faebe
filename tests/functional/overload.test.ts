import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Api, type Answer } from '../support/api.ts';
import { databaseKinds, PostgresDatabase, SqliteDatabase, type Database } from '../support/database.ts';
import { expectInvariants } from '../support/invariants.ts';
import { readMetrics, valueOf } from '../support/metrics.ts';
import { Cluster } from '../support/postgres.ts';
import { Running } from '../support/process.ts';
import { answersIn, RawClient } from '../support/raw-client.ts';
import { Service } from '../support/service.ts';
import { expectProblem, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { deliver, events, roomOf } from '../support/webhooks.ts';

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));

/** A database that can be made to do nothing. */
interface Blockable {
  database: Database;
  block(): Promise<void>;
  release(): Promise<void>;
  remove(): Promise<void>;
}

async function blockablePostgres(): Promise<Blockable> {
  const cluster = await Cluster.create();
  const database = await PostgresDatabase.create(cluster.url('postgres'));
  return { database, block: () => cluster.pause(), release: () => cluster.resume(), remove: () => cluster.remove() };
}

async function blockableSqlite(): Promise<Blockable> {
  const database = await SqliteDatabase.create();
  let locker: Running | undefined;
  return {
    database,
    block: async () => {
      const program = new Running('sqlite3', [database.file]);
      locker = program;
      program.child.stdin?.write('.timeout 10000\nbegin immediate;\nselect 1;\n');
      await until(() => program.stdout.includes('1'));
    },
    release: async () => {
      locker?.child.stdin?.end('rollback;\n');
      await locker?.exited;
    },
    remove: () => database.remove(),
  };
}

const isShed = (answer: Answer): boolean => answer.body?.code === 'overloaded';

/** Sends more and more until one is shed; the answers to all of them come later. */
async function flood(send: () => Promise<Answer>): Promise<{ shed: Answer; answers: Promise<Answer[]> }> {
  const answers: Promise<Answer>[] = [];
  const shed: Answer[] = [];
  const firstShed = await until(
    () => {
      if (shed.length > 0) return shed[0];
      for (let count = 0; count < 40; count += 1) {
        const answer = send();
        answers.push(answer);
        answer.then((seen) => isShed(seen) && shed.push(seen)).catch(() => undefined);
      }
      return undefined;
    },
    { timeout: 30_000, what: 'a request is shed' },
  );
  return { shed: firstShed, answers: Promise.all(answers) };
}

describe.each(databaseKinds)('more than the database gets done (%s)', (kind) => {
  let blockable: Blockable;
  let service: Service;
  let api: Api;

  beforeAll(async () => {
    blockable = await (kind === 'sqlite' ? blockableSqlite() : blockablePostgres());
    service = await Service.start(blockable.database);
    api = new Api(service.port);
  }, 60_000);
  afterAll(async () => {
    api?.close();
    await service?.stop();
    await blockable?.remove();
  });

  it('is refused early, webhooks and ends last, and all is well when it is over', async () => {
    const calls = (await Promise.all(times(2, () => api.startCall({ caller_id: 'ada' })))).map(({ body }) => body);
    const before = await readMetrics(api);
    const sheds = async (name: string): Promise<number> => {
      const count = (page: Awaited<ReturnType<typeof readMetrics>>): number => valueOf(page, 'call_service_http_requests_shed_total', { class: name })!;
      return count(await readMetrics(api)) - count(before);
    };

    await blockable.block();
    let firstIsAnswered = false;
    const first = api.startCall({ caller_id: 'first' }).finally(() => (firstIsAnswered = true));
    const callers: string[] = [];
    const starts = await flood(() => {
      callers.push(`caller-${callers.length}`);
      return api.startCall({ caller_id: callers.at(-1) });
    });
    expect(firstIsAnswered).toBe(false);
    expectProblem(starts.shed, 503, 'overloaded');
    expect(starts.shed.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect((await api.get('/health')).status).toBe(200);
    expect((await api.get('/docs')).status).toBe(200);

    const end = api.end(calls[0]!.call_id);
    const webhook = deliver(api, events.finished(roomOf(calls[1]!.call_id)));
    const ends = await flood(() => api.end(randomUUID()));
    expectProblem(ends.shed, 503, 'overloaded');
    expect(ends.shed.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    const shedWebhook = await deliver(api, events.finished(roomOf(randomUUID())));
    expectProblem(shedWebhook, 503, 'overloaded');
    expect(shedWebhook.headers['retry-after']).toBeUndefined();
    await blockable.release();

    for (const { status, body } of [await end, await webhook]) expect([200, 'database_unavailable']).toContain(status === 200 ? 200 : body.code);
    const answered = [await first, ...(await starts.answers)];
    const rows = await blockable.database.query<{ call_id: string; caller_id: string }>('select call_id, caller_id from calls');
    const [ids, written] = [new Set(rows.map(({ call_id }) => call_id)), new Set(rows.map(({ caller_id }) => caller_id))];
    answered.forEach((answer, index) => {
      if (answer.status === 201) return expect(ids.has(answer.body.call_id), 'what was acknowledged is there').toBe(true);
      expect(['overloaded', 'database_unavailable']).toContain(answer.body.code);
      if (isShed(answer)) expect(written.has(callers[index - 1]!), 'what was shed is not there').toBe(false);
    });
    for (const { status, body } of await ends.answers) expect(status === 404 || ['overloaded', 'database_unavailable'].includes(body.code), body.code).toBe(true);

    expect(await sheds('write')).toBe(answered.filter(isShed).length);
    expect(await sheds('end')).toBe((await ends.answers).filter(isShed).length);
    expect(await sheds('webhook')).toBe(1);
    await until(async () => (await api.startCall({ caller_id: 'ada' })).status === 201, { what: 'calls are started again' });
    for (const call of calls) expect((await api.end(call.call_id)).status).toBe(200);
    const burst = await Promise.all(times(200, () => api.startCall({ caller_id: 'ada' })));
    expect(burst.filter(({ status }) => status !== 201)).toEqual([]);
    await expectInvariants(blockable.database);
  }, 90_000);

  it('costs no credential, no body and, where the body is there already, no connection', async () => {
    await blockable.block();
    const starts = await flood(() => api.startCall({ caller_id: 'ada' }));
    const head = (length: number): string => `POST /calls HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
    const whole = await RawClient.open(service.port);
    whole.send(`${head(2)}{}${head(2)}{}`);
    await whole.until((seen) => seen.split('"overloaded"').length === 3, 'both are answered');
    const unread = await RawClient.open(service.port);
    unread.send(head(60_000));
    await unread.until((seen) => seen.includes('"overloaded"'), 'the answer to the head');
    await blockable.release();
    const [kept, closed] = [answersIn(whole.seen), answersIn(unread.seen)];
    expect(kept.map(({ status, headers }) => [status, headers.connection])).toEqual([[503, undefined], [503, undefined]]);
    expect(closed.map(({ status, headers }) => [status, headers.connection])).toEqual([[503, 'close']]);
    whole.close();
    unread.close();
    await starts.answers;
  }, 90_000);
});

describe('a row that another program holds, and more want it than can wait', () => {
  const served = serve('postgresql');
  let holder: pg.Client;

  beforeEach(async () => {
    holder = new pg.Client({ connectionString: served.database.url });
    holder.on('error', () => undefined);
    await holder.connect();
  });

  it('refuses some of these, and delays nobody else', async () => {
    const { call_id } = (await served.api.startCall({ caller_id: 'ada' })).body;
    await holder.query('begin');
    await holder.query('select call_id from calls where call_id = $1 for update', [call_id]);
    const joins = await flood(() => served.api.join(call_id, 'bob'));
    expectProblem(joins.shed, 503, 'overloaded');
    expect(joins.shed.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    const others = await Promise.all(times(100, (index) => served.api.startCall({ caller_id: `caller-${index}` })));
    expect(others.map(({ status }) => status)).toEqual(times(100, () => 201));
    await holder.query('rollback');
    await holder.end();
    for (const { status, body } of await joins.answers) expect([200, 'overloaded', 'database_unavailable']).toContain(status === 200 ? 200 : body.code);
    expect((await served.api.join(call_id, 'bob')).status).toBe(200);
  }, 60_000);
});
