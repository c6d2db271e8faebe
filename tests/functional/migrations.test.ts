import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, SqliteDatabase, type Database } from '../support/database.ts';
import { runService, Service } from '../support/service.ts';
import { onEachDatabase } from '../support/suite.ts';
import { Api } from '../support/api.ts';

onEachDatabase('migrate', (kind) => {
  let database: Database;
  beforeEach(async () => {
    database = await createDatabase(kind);
  });
  afterEach(() => database.remove());

  const migrate = (...args: string[]) => runService(['migrate', ...args], database.url);

  it('upgrade makes the tables, and a second one changes nothing', async () => {
    const first = await migrate('upgrade');
    expect(first.code, first.stderr).toBe(0);
    for (const table of ['users', 'calls', 'sessions', 'webhook_events', 'outbox']) {
      expect(await database.query(`select * from ${table}`)).toEqual([]);
    }
    expect((await migrate('upgrade', 'head')).code).toBe(0);
  });

  it('needs no more configuration than the database', async () => {
    const finished = await runService(['migrate', 'upgrade'], database.url, {
      LIVEKIT_API_KEY: undefined,
      LIVEKIT_API_SECRET: undefined,
      AUTH_API_KEYS: undefined,
      AUTH_JWT_SECRET: undefined,
    });
    expect(finished.code, finished.stderr).toBe(0);
  });

  it('current names the revision, history lists them all', async () => {
    const before = await migrate('current');
    expect(before.code).toBe(0);
    await migrate('upgrade');
    const current = await migrate('current');
    const history = await migrate('history');
    expect(current.code).toBe(0);
    expect(history.code).toBe(0);
    const revision = current.stdout.trim().split(/\s+/)[0] ?? '';
    expect(revision.length).toBeGreaterThan(0);
    expect(history.stdout).toContain(revision);
    expect(before.stdout).not.toContain(revision);
  });

  it('upgrade is safe when several start at once', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => migrate('upgrade')));
    expect(all.map(({ code }) => code), all.map(({ stderr }) => stderr).join('')).toEqual([0, 0, 0, 0, 0, 0]);
    const service = await Service.start(database, { MIGRATE_ON_START: 'false' });
    await service.stop();
  });

  it('keeps the data of an up-to-date database', async () => {
    const service = await Service.start(database);
    const api = new Api(service.port);
    const { body } = await api.startCall({ caller_id: 'x' });
    api.close();
    await service.stop();
    expect((await migrate('upgrade')).code).toBe(0);
    expect(await database.query('select call_id from calls')).toEqual([{ call_id: body.call_id }]);
  });

  it('refuses tables of our names that it did not make, and names them', async () => {
    await database.execute('create table calls (id int)');
    const finished = await migrate('upgrade');
    expect(finished.code).toBe(2);
    expect(finished.stderr).toContain('calls');
    expect(finished.stderr).toContain('DATABASE_SCHEMA');
    await expect(database.query('select * from sessions')).rejects.toThrow();
    expect(await database.query('select * from calls')).toEqual([]);
  });

  it('refuses views of our names too', async () => {
    await database.execute('create view users as select 1 as user_id');
    const finished = await migrate('upgrade');
    expect(finished.code, finished.stdout).toBe(2);
    expect(finished.stderr).toContain('users');
    expect((await migrate('current')).stdout).toContain('base');
  });

  it('leaves the migration table of another program alone', async () => {
    await database.execute('create table schema_migrations (version bigint primary key)');
    await database.execute('insert into schema_migrations values (20260101)');
    expect((await migrate('current')).stdout).toContain('base');
    const finished = await migrate('upgrade');
    expect(finished.code, finished.stderr).toBe(0);
    expect(await database.query('select * from schema_migrations')).toEqual([{ version: 20260101 }]);
    expect(await database.query('select revision from call_service_migrations')).toContainEqual({ revision: '0001' });
  });

  it('upgrade goes as far as it is told', async () => {
    for (const target of ['+0', '+x', '9999', 'nonsense']) {
      const finished = await migrate('upgrade', target);
      expect(finished.code, finished.stdout).toBe(2);
      expect(finished.stderr).toContain('0001');
    }
    expect((await migrate('upgrade', '+1')).stdout).toContain('applied 0001');
    expect((await migrate('current')).stdout).toContain('0001');
    const passed = await migrate('upgrade', '0001');
    expect(passed.code, passed.stderr).toBe(0);
    expect(passed.stdout).toContain('nothing to do');
    expect((await migrate('upgrade', 'head')).code).toBe(0);
  });

  it('serve refuses an outdated schema with exit status 2, and says what to run', async () => {
    const finished = await runService(['serve'], database.url, { MIGRATE_ON_START: 'false' });
    expect(finished.code, finished.stderr).toBe(2);
    expect(finished.stderr).toContain('migrate upgrade');
  });
});

describe('a schema of its own on PostgreSQL', () => {
  it('is made by upgrade and holds all tables', async () => {
    const database = await createDatabase('postgresql');
    const schema = { DATABASE_SCHEMA: 'team-calls' };
    const finished = await runService(['migrate', 'upgrade'], database.url, schema);
    expect(finished.code, finished.stderr).toBe(0);
    const tables = `select distinct table_schema as name from information_schema.tables where table_schema !~ '^(pg_|information_schema)'`;
    expect(await database.query(tables)).toEqual([{ name: 'team-calls' }]);
    const service = await Service.start(database, { ...schema, MIGRATE_ON_START: undefined });
    const api = new Api(service.port);
    expect((await api.startCall({ caller_id: 'x' })).status).toBe(201);
    api.close();
    await service.stop();
    await database.remove();
  });

  it.each(['a$$b', `it's "quoted"`, '{calls} {', 'with space', '%s$1\\n'])('may be called %s', async (name) => {
    const database = await createDatabase('postgresql');
    const service = await Service.start(database, { DATABASE_SCHEMA: name });
    const api = new Api(service.port);
    const { status, body } = await api.startCall({ caller_id: 'x', user_ids: ['y', 'x'] });
    expect(status).toBe(201);
    const schema = `"${name.replaceAll('"', '""')}"`;
    await database.execute(`update ${schema}.users set user_id = 'z' where user_id = 'y'`);
    expect((await api.call(body.call_id)).body.user_ids).toEqual(['z', 'x']);
    expect((await api.end(body.call_id)).status).toBe(200);
    await expect(database.execute(`update ${schema}.calls set ended_at = now()`)).rejects.toThrow('it stays so');
    api.close();
    await service.stop();
    await database.remove();
  });

  it('refuses materialised views, foreign and partitioned tables of our names', async () => {
    const database = await createDatabase('postgresql');
    await database.execute('create materialized view users as select 1 as x');
    await database.execute('create table calls (x int) partition by range (x)');
    await database.execute('create foreign data wrapper w; create server s foreign data wrapper w; create foreign table outbox (x int) server s');
    const finished = await runService(['migrate', 'upgrade'], database.url);
    expect(finished.code, finished.stdout).toBe(2);
    for (const table of ['users', 'calls', 'outbox']) expect(finished.stderr).toContain(table);
    await database.remove();
  });

  it('is the default that serve asks for when MIGRATE_ON_START is not set', async () => {
    const database = await createDatabase('postgresql');
    const finished = await runService(['serve'], database.url, { MIGRATE_ON_START: undefined });
    expect(finished.code).toBe(2);
    expect(finished.stderr).toContain('migrate upgrade');
    await database.remove();
  });
});

describe('a SQLite file', () => {
  it('serves one process: a second one is refused with exit status 2', async () => {
    const database = await createDatabase('sqlite');
    const service = await Service.start(database, { MIGRATE_ON_START: undefined });
    const second = await runService(['serve'], database.url);
    expect(second.code, second.stderr).toBe(2);
    expect(second.stderr).toContain('.lock');
    const api = new Api(service.port);
    expect((await api.startCall({ caller_id: 'x' })).status).toBe(201);
    expect((await runService(['migrate', 'current'], database.url)).code).toBe(0);
    api.close();
    await service.stop();
    await database.remove();
  });

  it('is not made by what only reads', async () => {
    const database = await SqliteDatabase.create();
    const current = await runService(['migrate', 'current'], database.url);
    expect(current.code, current.stderr).toBe(0);
    expect(current.stdout).toContain('base');
    const history = await runService(['migrate', 'history'], database.url);
    expect(history.code, history.stderr).toBe(0);
    expect(history.stdout).toMatch(/0001 \S+ not applied/);
    expect(await readdir(database.directory)).toEqual([]);
    await database.remove();
  });

  it('can be served again after a kill', async () => {
    const database = await createDatabase('sqlite');
    const service = await Service.start(database);
    await service.kill();
    await service.restart();
    await service.stop();
    await database.remove();
  });
});
