import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, type Database } from '../support/database.ts';
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

  it('can be served again after a kill', async () => {
    const database = await createDatabase('sqlite');
    const service = await Service.start(database);
    await service.kill();
    await service.restart();
    await service.stop();
    await database.remove();
  });
});
