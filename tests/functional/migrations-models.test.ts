import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase, type Database } from '../support/database.ts';
import { editSqliteTable, Migrations, objectsIn, sectionOf } from '../support/migrations.ts';
import { runService, Service } from '../support/service.ts';
import { onEachDatabase } from '../support/suite.ts';

/** Somebody's change by hand, on a filled database, and what `check` must tell of it. */
interface Tampering {
  what: string;
  tells: RegExp;
  postgresql: string;
  sqlite: string | ((database: Database) => Promise<void>);
}

const sqliteEdit = (table: string, from: string, to = '') => (database: Database) => editSqliteTable(database, table, from, to);

const tamperings: Tampering[] = [
  {
    what: 'a dropped column with its index',
    tells: /^calls: column closes_at .* is missing$/m,
    postgresql: 'alter table calls drop column closes_at',
    sqlite: 'drop index calls_closing; alter table calls drop column closes_at',
  },
  {
    what: 'an added column',
    tells: /^sessions: column extra .* is not in the models$/m,
    postgresql: `alter table sessions add column extra text default 'it''s {mine}'`,
    sqlite: `alter table sessions add column extra text default 'it''s {mine}'`,
  },
  {
    what: 'a column and an index with odd names',
    tells: /^sessions: column "Odd name" .* is not in the models$/m,
    postgresql: 'alter table sessions add column "Odd name" text; create index "Odd index" on sessions ("Odd name")',
    sqlite: 'alter table sessions add column "Odd name" text; create index "Odd index" on sessions ("Odd name")',
  },
  {
    what: 'a column of another type',
    tells: /^calls: column max_participants has type /m,
    postgresql: 'alter table calls alter column max_participants type integer',
    sqlite: sqliteEdit('calls', 'max_participants integer', 'max_participants text'),
  },
  {
    what: 'a column that may be null',
    tells: /^sessions: column name is not NOT NULL$/m,
    postgresql: 'alter table sessions alter column name drop not null',
    sqlite: sqliteEdit('sessions', 'name text NOT NULL', 'name text'),
  },
  {
    what: 'a lost default',
    tells: /^calls: column version has default none, not 0$/m,
    postgresql: 'alter table calls alter column version drop default',
    sqlite: sqliteEdit('calls', 'version integer NOT NULL DEFAULT 0', 'version integer NOT NULL'),
  },
  {
    what: 'another default',
    tells: /^outbox: column attempts has default '?7'?.*, not 0$/m,
    postgresql: 'alter table outbox alter column attempts set default 7',
    sqlite: sqliteEdit('outbox', 'attempts integer NOT NULL DEFAULT 0', 'attempts integer NOT NULL DEFAULT 7'),
  },
  {
    what: 'a dropped index',
    tells: /^sessions: unique index sessions_one_active \(call_id, user_id\) where .* is missing$/m,
    postgresql: 'drop index sessions_one_active',
    sqlite: 'drop index sessions_one_active',
  },
  {
    what: 'an index of another order',
    tells: /^sessions: index sessions_by_user \(call_id, user_id DESC\) is not in the models$/im,
    postgresql: 'drop index sessions_by_user; create index sessions_by_user on sessions (call_id, user_id desc)',
    sqlite: 'drop index sessions_by_user; create index sessions_by_user on sessions (call_id, user_id desc)',
  },
  {
    what: 'an index of other rows',
    tells: /^calls: index calls_closing .*active.* is not in the models$/m,
    postgresql: `drop index calls_closing; create index calls_closing on calls (closes_at) where status = 'active'`,
    sqlite: `drop index calls_closing; create index calls_closing on calls (closes_at) where status = 'active'`,
  },
  {
    what: 'an index that is not unique any more',
    tells: /^outbox: index outbox_one_deletion .* is not in the models$/m,
    postgresql: `drop index outbox_one_deletion; create index outbox_one_deletion on outbox (call_id) where kind = 'delete_room'`,
    sqlite: `drop index outbox_one_deletion; create index outbox_one_deletion on outbox (call_id) where kind = 'delete_room'`,
  },
  {
    what: 'a dropped check',
    tells: /^calls: check \(max_participants BETWEEN 1 AND 10000\) is missing$/m,
    postgresql: 'alter table calls drop constraint calls_max_participants_check',
    sqlite: sqliteEdit('calls', ' CHECK (max_participants BETWEEN 1 AND 10000)'),
  },
  {
    what: 'another check',
    tells: /^sessions: check \(.*gone.*\) is not in the models$/m,
    postgresql: `alter table sessions drop constraint sessions_status_check,
      add constraint sessions_status_check check (status in ('pending', 'active', 'ended', 'gone'))`,
    sqlite: sqliteEdit('sessions', `'active', 'ended')`, `'active', 'ended', 'gone')`),
  },
  {
    what: 'a dropped foreign key',
    tells: /^calls: foreign key \(caller_id\) to users \(user_id\), on update CASCADE, .* is missing$/m,
    postgresql: 'alter table calls drop constraint calls_caller_id_fkey',
    sqlite: (database) =>
      editSqliteTable(database, 'calls', `caller_id text NOT NULL REFERENCES "users" (user_id) ON UPDATE CASCADE`, 'caller_id text NOT NULL'),
  },
  {
    what: 'a foreign key with another action',
    tells: /^sessions: foreign key \(call_id\) .* on delete NO ACTION is not in the models$/m,
    postgresql: `alter table sessions drop constraint sessions_call_id_fkey,
      add constraint sessions_call_id_fkey foreign key (call_id) references calls (call_id)`,
    sqlite: sqliteEdit('sessions', 'ON DELETE CASCADE', ''),
  },
  {
    what: 'a unique constraint of somebody',
    tells: /^webhook_events: unique constraint \(event_id, received_at\) is not in the models$/m,
    postgresql: 'alter table webhook_events add constraint mine unique (event_id, received_at)',
    sqlite: sqliteEdit('webhook_events', 'PRIMARY KEY (call_id, event_id)', 'PRIMARY KEY (call_id, event_id), UNIQUE (event_id, received_at)'),
  },
  {
    what: 'another primary key',
    tells: /^webhook_events: primary key is \(event_id, call_id\), not \(call_id, event_id\)$/m,
    postgresql: 'alter table webhook_events drop constraint webhook_events_pkey, add primary key (event_id, call_id)',
    sqlite: (database) =>
      database.execute(`drop table webhook_events; create table webhook_events (
        call_id text not null references calls (call_id) on delete cascade, event_id text not null, type text not null, room_sid text,
        participant_sid text, reason text, occurred_at text not null, received_at text not null, primary key (event_id, call_id)) without rowid`),
  },
  {
    what: 'a column that the database does not compute any more',
    tells: /^calls: column room_name is generated as none, not /m,
    postgresql: 'alter table calls alter column room_name drop expression',
    sqlite: sqliteEdit('calls', `GENERATED ALWAYS AS ('call_' || call_id) STORED`, `DEFAULT 'x'`),
  },
  {
    what: 'a dropped table',
    tells: /^timeline: the table is missing$/m,
    postgresql: 'drop table timeline',
    sqlite: 'drop table timeline',
  },
  {
    what: 'a dropped trigger',
    tells: /^calls: trigger calls_ended_once is missing$/m,
    postgresql: 'drop trigger calls_ended_once on calls',
    sqlite: 'drop trigger calls_ended_once',
  },
];

onEachDatabase('models and database', (kind) => {
  let database: Database;
  let migrations: Migrations;
  beforeEach(async () => {
    database = await createDatabase(kind);
    migrations = await Migrations.create(database);
  });
  afterEach(() => database.remove());

  it('agree from base to head, to base and to head again', async () => {
    expect((await migrations.differences()).length).toBeGreaterThan(5);
    for (let round = 0; round < 2; ++round) {
      await migrations.check('upgrade');
      expect(await migrations.differences()).toEqual([]);
      expect(await objectsIn(database)).toContain('calls');
      await migrations.check('downgrade', 'base');
      expect(await objectsIn(database)).toEqual([]);
    }
    await migrations.check('upgrade');
    while ((await migrations.run('current')).stdout.startsWith('0')) await migrations.check('downgrade', '-1');
    expect(await objectsIn(database)).toEqual([]);
    await migrations.check('upgrade', '0001');
    await migrations.check('upgrade');
    expect(await migrations.differences()).toEqual([]);
  });

  it('agree: then nothing is written', async () => {
    await migrations.check('upgrade');
    expect(await migrations.check('revision', '-m', 'nothing', '--autogenerate')).toContain('no difference');
    expect(await readdir(migrations.directory)).toEqual([]);
  });

  it('know nothing of the tables, views and functions of others', async () => {
    await migrations.check('upgrade');
    await database.execute('create table somebody (id integer primary key, call_id text)');
    await database.execute('create view everybody as select user_id from users');
    expect(await migrations.differences()).toEqual([]);
  });

  it('an empty revision has a section for each database and direction, and can be applied', async () => {
    await migrations.check('upgrade');
    const path = (await migrations.check('revision', '--empty', '--message', 'Größer & "better"; 2nd\nline')).trim();
    expect(basename(path)).toMatch(/^\d{4}_gr_er_better_2nd_line\.sql$/);
    for (const heading of ['upgrade postgresql', 'downgrade postgresql', 'upgrade sqlite', 'downgrade sqlite']) {
      expect(await readFile(path, 'utf8')).toContain(`\n-- ${heading}\n`);
    }
    const former = (await database.query<{ revision: string }>('select max(revision) as revision from call_service_migrations'))[0]?.revision;
    expect(await readFile(path, 'utf8')).toContain(`\n-- compatible from ${former}\n`);
    const next = (await migrations.check('revision', '--empty', '-m', 'next')).trim();
    expect(Number(basename(next).slice(0, 4))).toBe(Number(basename(path).slice(0, 4)) + 1);
    expect(await migrations.check('upgrade')).toContain('applied');
    expect((await migrations.run('upgrade', '+1')).code).toBe(2);
    await migrations.check('downgrade', '-2');
  });

  it('a directory that is not there is refused, and nothing is made', async () => {
    const nowhere = `${migrations.directory}/missing`;
    for (const args of [['revision', '-m', 'x', '--dir', nowhere], ['revision', '-m', 'x'], ['upgrade', '--dir', nowhere]]) {
      const finished = await runService(['migrate', ...args], database.url);
      expect(finished.code, finished.stdout).toBe(2);
      expect(finished.stderr).toMatch(/is no directory/);
    }
    expect((await runService(['migrate', 'current'], database.url)).stdout).toContain('base');
  });

  describe('on a filled database', () => {
    beforeEach(async () => {
      const service = await Service.start(database);
      const api = new Api(service.port);
      const { body } = await api.startCall({ caller_id: 'ada', user_ids: ['ada', 'bob'], metadata: { a: '{' } });
      await api.startCall({ caller_id: 'bob' });
      await api.end(body.call_id);
      api.close();
      await service.stop();
    });

    it.each(tamperings)('a migration mends $what, and goes back', async ({ tells, ...change }) => {
      const tamper = change[kind];
      if (typeof tamper === 'string') await database.execute(tamper);
      else await tamper(database);
      const before = await migrations.differences();
      expect(before.join('\n')).toMatch(tells);
      const calls = await database.query('select call_id, caller_id, status, started_at from calls order by call_id');
      const sessions = await database.query('select session_id, call_id, user_id, name from sessions order by session_id');
      expect(calls).toHaveLength(2);

      const path = (await migrations.check('revision', '-m', 'mend it', '--autogenerate')).trim();
      for (const other of ['postgresql', 'sqlite']) {
        expect((await sectionOf(path, `upgrade ${other}`)).trim()).not.toBe('');
        expect((await sectionOf(path, `downgrade ${other}`)).trim()).not.toBe('');
      }
      for (let round = 0; round < 2; ++round) {
        await migrations.check('upgrade');
        expect(await migrations.differences()).toEqual([]);
        await migrations.check('downgrade', '-1');
        expect(await migrations.differences()).toEqual(before);
      }
      await migrations.check('upgrade');
      expect(await database.query('select call_id, caller_id, status, started_at from calls order by call_id')).toEqual(calls);
      expect(await database.query('select session_id, call_id, user_id, name from sessions order by session_id')).toEqual(sessions);
      const service = await Service.start(database, { MIGRATE_ON_START: 'false' });
      await service.stop();
    });

    it('a required column without default needs a decision: as written, rows are refused', async () => {
      await database.execute('alter table sessions drop column name');
      const path = (await migrations.check('revision', '-m', 'names', '--autogenerate')).trim();
      const refused = await migrations.run('upgrade');
      expect(refused.code, refused.stdout).toBe(1);
      expect(refused.stderr).toContain('names');
      expect((await migrations.differences()).join()).toContain('name');

      const text = await readFile(path, 'utf8');
      expect(text).toContain('-- EDIT');
      await writeFile(path, text.replace('SET name = NULL', 'SET name = user_id').replace(/(?<=\n  SELECT [^\n]*)NULL/, 'user_id'));
      await migrations.check('upgrade');
      expect(await migrations.differences()).toEqual([]);
      expect(await database.query('select count(*) as n from sessions where name = user_id')).toEqual([{ n: 2 }]);
    });
  });

  it('a column that may have been renamed is told of', async () => {
    await migrations.check('upgrade');
    await database.execute('alter table webhook_events rename column reason to why');
    const path = (await migrations.check('revision', '-m', 'rename', '--autogenerate')).trim();
    expect(await readFile(path, 'utf8')).toContain('RENAME COLUMN why TO reason');
  });

  it('check works beside a service', async () => {
    const service = await Service.start(database);
    expect(await migrations.differences()).toEqual([]);
    await service.stop();
  });
});

describe('models and a PostgreSQL database', () => {
  it.each(['old', 'a"b', 'a$body$b', '$body$ $bodyy$', 'a "b" ü', '{calls} {', 'pg.x'])('agree in a schema called %s', async (schema) => {
    const database = await createDatabase('postgresql');
    const migrations = await Migrations.create(database, { DATABASE_SCHEMA: schema });
    await migrations.check('upgrade');
    expect(await migrations.differences()).toEqual([]);
    const quoted = `"${schema.replaceAll('"', '""')}"`;
    await database.execute(`drop trigger calls_ended_once on ${quoted}.calls; drop function ${quoted}.keep_ended_calls();
      alter table ${quoted}.sessions drop constraint sessions_call_id_fkey`);
    expect(await migrations.differences()).toHaveLength(3);
    await migrations.check('revision', '-m', 'mend', '--autogenerate');
    await migrations.check('upgrade');
    expect(await migrations.differences()).toEqual([]);
    await migrations.check('downgrade', '-1');
    expect(await migrations.differences()).toHaveLength(3);
    await database.remove();
  });

  it('differ by a function that says something else, and by an invalid index', async () => {
    const database = await createDatabase('postgresql');
    const migrations = await Migrations.create(database);
    await migrations.check('upgrade');
    await database.execute(`create or replace function keep_ended_calls() returns trigger language plpgsql as 'begin return new; end'`);
    await database.execute(`update pg_index set indisvalid = false where indexrelid = 'sessions_open'::regclass`);
    expect((await migrations.differences()).join('\n')).toMatch(/function keep_ended_calls[^]*sessions_open.*invalid|sessions_open.*invalid[^]*function keep_ended_calls/);
    await migrations.check('revision', '-m', 'mend', '--autogenerate');
    await migrations.check('upgrade');
    expect(await migrations.differences()).toEqual([]);
    await database.remove();
  });
});
