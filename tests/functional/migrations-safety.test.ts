import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase, type Database, type SqliteDatabase } from '../support/database.ts';
import { Migrations, objectsIn } from '../support/migrations.ts';
import { withClient } from '../support/postgres.ts';
import { run, Running } from '../support/process.ts';
import { binary, environmentFor, runService, Service } from '../support/service.ts';
import { onEachDatabase } from '../support/suite.ts';
import { until } from '../support/wait.ts';

let database: Database;
let migrations: Migrations;

async function begin(kind: Database['kind']): Promise<void> {
  database = await createDatabase(kind);
  migrations = await Migrations.create(database);
}

const applied = () => database.query<{ revision: string }>('select revision from call_service_migrations order by revision');

function startUpgrade(): Running {
  const env = environmentFor(database.url);
  return new Running(binary, ['migrate', 'upgrade', '--dir', migrations.directory], { env, cwd: '/tmp' });
}

onEachDatabase('a migration', (kind) => {
  beforeEach(() => begin(kind));
  afterEach(() => database.remove());

  it('that fails leaves the database as it was', async () => {
    await migrations.check('upgrade');
    const objects = await objectsIn(database);
    await migrations.write('9001_good.sql', 'create table good (id integer);', 'drop table good;');
    await migrations.write('9002_bad.sql', 'create table bad (id integer); drop table good; insert into nowhere values (1);');
    const failed = await migrations.run('upgrade');
    expect(failed.code, failed.stdout).toBe(1);
    expect(failed.stderr).toContain('9002_bad');
    expect(failed.stderr).toContain('nowhere');
    expect(await objectsIn(database)).toEqual([...objects, 'good'].sort());
    expect(await migrations.check('current')).toContain('9001 good');

    await migrations.write('9002_bad.sql', 'create table bad (id integer); -- mended', 'drop table bad; drop table nowhere;');
    expect(await migrations.check('upgrade')).toContain('applied 9002');
    const stuck = await migrations.run('downgrade', '9001');
    expect(stuck.code, stuck.stdout).toBe(1);
    expect(await objectsIn(database)).toContain('bad');
    expect(await migrations.check('current')).toContain('9002 bad');
  });

  it('without a section, or with a number taken twice, is refused by name', async () => {
    await writeFile(join(migrations.directory, '9001_torn.sql'), '-- torn\n\n-- upgrade postgresql\n\n-- upgrade sqlite\n');
    const torn = await migrations.run('upgrade');
    expect(torn.code).toBe(2);
    expect(torn.stderr).toMatch(/9001_torn.*downgrade/);
    await migrations.write('9001_torn.sql', '');
    await migrations.write('9001_twice.sql', '');
    const twice = await migrations.run('upgrade');
    expect(twice.code).toBe(2);
    expect(twice.stderr).toMatch(/9001.*(torn.*twice|twice.*torn)/);
    expect((await runService(['migrate', 'current'], database.url)).stdout).toContain('base');
  });

  it('is recorded without being run by stamp', async () => {
    await migrations.write('9001_one.sql', 'create table one (id integer);', 'drop table one;');
    await migrations.write('9002_two.sql', 'create table two (id integer);', 'drop table two;');
    await migrations.check('stamp', '9001');
    expect(await objectsIn(database)).toEqual([]);
    expect(await migrations.check('current')).toContain('9001 one');
    expect((await migrations.check('upgrade')).match(/^applied .*$/gm)).toEqual(['applied 9002 two']);
    expect(await objectsIn(database)).toEqual(['two']);
    await migrations.check('stamp', '0001');
    expect(await applied()).toEqual([{ revision: '0001' }]);
    await migrations.check('stamp', 'base');
    expect(await migrations.check('current')).toContain('base');
    await migrations.check('stamp', 'head');
    expect(await migrations.check('current')).toContain('9002 two (head)');
    for (const target of ['+1', '-1', '9003', '']) expect((await migrations.run('stamp', target)).code).toBe(2);
    expect((await migrations.run('stamp')).code).toBe(2);
  });

  it('cannot be taken back further than there is', async () => {
    await migrations.check('upgrade');
    const count = (await applied()).length;
    for (const target of [`-${count + 1}`, '-0', '-x', '9999', 'head', '+1']) {
      const finished = await migrations.run('downgrade', target);
      expect(finished.code, `${target}: ${finished.stdout}`).toBe(2);
    }
    expect(await applied()).toHaveLength(count);
    await migrations.check('downgrade', `-${count - 1}`);
    expect(await applied()).toEqual([{ revision: '0001' }]);
    expect((await migrations.run('upgrade', `+${count}`)).code).toBe(2);
    expect(await migrations.check('downgrade', '0001')).toContain('nothing to do');
    await migrations.check('downgrade');
    expect(await applied()).toEqual([]);
  });

  it('of a newer release keeps this one going, if it says so, and no further', async () => {
    await migrations.check('upgrade');
    const known = (await applied()).at(-1)?.revision ?? '';
    await migrations.write('9001_next.sql', 'create table more (id integer);', 'drop table more;');
    await migrations.check('upgrade');
    for (const MIGRATE_ON_START of ['true', 'false']) {
      const service = await Service.start(database, { MIGRATE_ON_START });
      await service.stop();
    }
    expect((await runService(['migrate', 'current'], database.url)).stdout).toMatch(/9001 next .*not known/);
    const back = await runService(['migrate', 'downgrade', '-1'], database.url);
    expect(back.code, back.stdout).toBe(2);
    expect(back.stderr).toContain('9001');

    await migrations.write('9002_further.sql', '');
    await migrations.check('upgrade');
    for (const MIGRATE_ON_START of ['true', 'false']) {
      const refused = await runService(['serve'], database.url, { MIGRATE_ON_START });
      expect(refused.code, refused.stdout).toBe(2);
      expect(refused.stderr).toContain('9002');
    }
    await migrations.check('downgrade', known);
    await writeFile(
      join(migrations.directory, '9002_further.sql'),
      `-- compatible from ${known}\n\n-- upgrade postgresql\n\n-- downgrade postgresql\n\n-- upgrade sqlite\n\n-- downgrade sqlite\n`,
    );
    await migrations.check('upgrade');
    const service = await Service.start(database);
    await service.stop();
  });

  it('does not touch a table of the same name that somebody has made meanwhile', async () => {
    await migrations.check('upgrade', '0001');
    await database.execute('create table timeline (id integer)');
    const before = await objectsIn(database);
    const refused = await migrations.run('upgrade');
    expect(refused.code, refused.stdout).toBe(2);
    expect(refused.stderr).toMatch(/timeline.*DATABASE_SCHEMA/);
    expect(await objectsIn(database)).toEqual(before);
    await migrations.check('downgrade', 'base');
    expect(await database.query('select id from timeline')).toEqual([]);
  });

  it('is applied once when eight upgrade at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => migrations.run('upgrade')));
    expect(all.map(({ code }) => code), all.map(({ stderr }) => stderr).join('')).toEqual(Array(8).fill(0));
    const outputs = all.map(({ stdout }) => stdout).join('');
    for (const { revision } of await applied()) expect(outputs.split(`applied ${revision} `)).toHaveLength(2);
    expect(await migrations.differences()).toEqual([]);
  });
});

describe('migrating PostgreSQL', () => {
  beforeEach(() => begin('postgresql'));
  afterEach(() => database.remove());

  const atTheGateNow = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%gate%' and datname = current_database()`;

  /** A migration that waits at a gate, as long as it takes, which is closed until `body` has ended. */
  async function atTheGate(body: (upgrade: Running) => Promise<void>): Promise<void> {
    await database.execute('create table gate (id integer)');
    const wait = 'set local lock_timeout = 0; lock table gate in exclusive mode;';
    await migrations.write('9001_gate.sql', `create table half (id integer); ${wait} create table whole (id integer);`);
    await withClient(database.url, async (client) => {
      await client.query('begin; lock table gate in exclusive mode');
      const upgrade = startUpgrade();
      await until(async () => (await database.query(atTheGateNow)).length > 0, { what: 'the migration waits at the gate' });
      await body(upgrade);
    });
  }

  const leaseEnd = async () => (await database.query<{ until: string }>('select until from call_service_migration_lease'))[0]?.until ?? '';

  it('services that migrate on start wait for one another', async () => {
    const services = await Promise.all(Array.from({ length: 8 }, () => Service.start(database)));
    const lines = services.flatMap(({ logs }) => logs.filter(({ event }) => event === 'migration_applied'));
    expect(lines.map(({ revision }) => revision).sort()).toEqual((await applied()).map(({ revision }) => revision));
    expect(await database.query('select * from call_service_migration_lease')).toEqual([]);
    await Promise.all(services.map((service) => service.stop()));
  });

  it('the lease is renewed through a long statement, and who waits for it keeps no transaction open', async () => {
    let second: Running | undefined;
    await atTheGate(async (first) => {
      second = startUpgrade();
      await until(() => second?.stdout.includes('waiting_for_migration'), { what: 'the second one waits' });
      const begun = await leaseEnd();
      // Its whole lifetime: without renewal the second would have it by now.
      await until(async () => Date.parse(await leaseEnd()) - Date.parse(begun) > 11_000, { timeout: 25_000, what: 'the lease is renewed' });
      expect(first.isRunning && second?.isRunning).toBe(true);
      const open = `select query from pg_stat_activity where application_name = 'call-service' and datname = current_database()
                    and xact_start is not null and query not like '%gate%' and now() - xact_start > interval '1 second'`;
      expect(await database.query(open)).toEqual([]);
      void first.finished();
    });
    const finished = await second?.finished();
    expect(finished?.code, finished?.stderr).toBe(0);
    expect(finished?.stdout).toContain('nothing to do');
    expect(await objectsIn(database)).toEqual(expect.arrayContaining(['half', 'whole']));
  }, 60_000);

  it('another takes over from one that was killed, and nothing is half done', async () => {
    await atTheGate(async (first) => {
      first.signal('SIGKILL');
      await first.exited;
      await until(async () => (await database.query(atTheGateNow)).length === 0, { what: 'the server stops what the dead one ran' });
      expect(await objectsIn(database)).not.toContain('half');
    });
    const second = startUpgrade();
    await until(() => second.stdout.includes('waiting_for_migration') || !second.isRunning, { what: 'the lease is still the dead one’s' });
    const finished = await second.finished();
    expect(finished.code, finished.stderr).toBe(0);
    expect(finished.stdout).toContain('applied 9001 gate');
    expect(await objectsIn(database)).toEqual(expect.arrayContaining(['half', 'whole']));
  }, 60_000);

  it('keeps nobody from a table while it waits for it itself', async () => {
    const service = await Service.start(database);
    const api = new Api(service.port);
    await migrations.write('9001_more.sql', 'alter table calls add column more integer;', 'alter table calls drop column more;');
    await withClient(database.url, async (client) => {
      await client.query('begin; select from calls');
      const upgrade = startUpgrade();
      await until(() => upgrade.stdout.split('migration_waits_for_lock').length > 2, { timeout: 20_000, what: 'it waits again' });
      const answers = await Promise.all(Array.from({ length: 20 }, () => api.startCall({ caller_id: 'ada' })));
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
      expect(upgrade.isRunning).toBe(true);
      await client.query('commit');
      expect((await upgrade.finished()).stdout).toContain('applied 9001 more');
    });
    api.close();
    await service.stop();
  }, 60_000);

  it('what cannot be in a transaction is run again after a failure, without what that left', async () => {
    await migrations.check('upgrade');
    const before = (await applied()).at(-1)?.revision ?? '';
    await database.execute(`insert into users values ('a', now()), ('b', now())`);
    await writeFile(
      join(migrations.directory, '9001_index.sql'),
      `-- One index.

-- upgrade postgresql
-- not transactional
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_once ON {users} ((length(user_id)));  -- both are equal

-- downgrade postgresql
-- not transactional
DROP INDEX CONCURRENTLY IF EXISTS {users_once};

-- upgrade sqlite

-- downgrade sqlite
`,
    );
    const failed = await migrations.run('upgrade');
    expect(failed.code, failed.stdout).toBe(1);
    expect(failed.stderr).toContain('run it again');
    const index = `select indisvalid as valid from pg_index where indexrelid = to_regclass('users_once')`;
    expect(await database.query(index)).toEqual([{ valid: false }]);
    expect(await migrations.check('current')).not.toContain('9001');
    await database.execute(`update users set user_id = 'bb' where user_id = 'b'`);
    await migrations.check('upgrade');
    expect(await database.query(index)).toEqual([{ valid: true }]);
    await migrations.check('stamp', before);
    await migrations.check('upgrade');
    await migrations.check('downgrade', '-1');
    expect(await database.query(index)).toEqual([]);
  });

  it('refuses a database that cannot hold every text', async () => {
    const name = `latin_${process.pid}`;
    await database.execute(`create database ${name} encoding 'LATIN1' locale 'C' template template0`);
    const url = database.url.replace(/\/[^/]*$/, `/${name}`);
    try {
      const results = await Promise.all([
        runService(['migrate', 'upgrade'], url),
        runService(['serve'], url, { MIGRATE_ON_START: 'true' }),
        runService(['doctor'], url),
      ]);
      for (const { code, stdout, stderr } of results) {
        expect(code, stdout).not.toBe(0);
        expect(stdout + stderr).toMatch(/encoding is LATIN1.*UTF8/);
      }
      expect(await withClient(url, async (client) => (await client.query(`select from pg_tables where schemaname = 'public'`)).rowCount)).toBe(0);
    } finally {
      await database.execute(`drop database ${name}`);
    }
  });

  it('needs no right to make schemas where there is one', async () => {
    await database.execute(`create schema calls_of_mine; create role migrator_${process.pid} login; grant all on schema calls_of_mine to migrator_${process.pid};
      revoke create on schema public from public`);
    const url = database.url.replace('postgres@', `migrator_${process.pid}@`);
    const changes = { DATABASE_SCHEMA: 'calls_of_mine' };
    const upgraded = await runService(['migrate', 'upgrade'], url, changes);
    expect(upgraded.code, upgraded.stderr).toBe(0);
    const checked = await runService(['migrate', 'check'], url, changes);
    expect(checked.code, checked.stdout + checked.stderr).toBe(0);
    const refused = await runService(['migrate', 'upgrade'], url, { DATABASE_SCHEMA: 'another' });
    expect(refused.code).toBe(1);
    await database.execute(`drop owned by migrator_${process.pid}; drop role migrator_${process.pid}`);
  });
});

describe('migrating a SQLite file', () => {
  beforeEach(() => begin('sqlite'));
  afterEach(() => database.remove());

  it('goes on after one that was killed in the middle', async () => {
    await migrations.check('upgrade');
    const forever = 'with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n;';
    await migrations.write('9001_long.sql', `create table half (id integer); ${forever}`);
    const first = startUpgrade();
    // The writer's lock: the migration is under way.
    const { file } = database as SqliteDatabase;
    await until(async () => (await run('sqlite3', [file, 'begin immediate'])).code !== 0, { what: 'the file is locked' });
    first.signal('SIGKILL');
    await first.exited;
    expect(await objectsIn(database)).not.toContain('half');
    await migrations.write('9001_long.sql', 'create table half (id integer);');
    expect(await migrations.check('upgrade')).toContain('applied 9001');
  });

  it('waits for whoever holds its lock', async () => {
    const service = await Service.start(database);
    await migrations.write('9001_more.sql', 'create table more (id integer);', 'drop table more;');
    const upgrade = startUpgrade();
    expect(await migrations.check('current')).not.toContain('9001');
    await service.stop();
    const finished = await upgrade.finished();
    expect(finished.code, finished.stderr).toBe(0);
    expect(finished.stdout).toContain('applied 9001');
  });
});
