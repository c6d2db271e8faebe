import { expect } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase } from '../support/database.ts';
import { expectInvariants } from '../support/invariants.ts';
import { Service, userToken } from '../support/service.ts';
import type { World } from './world.ts';

/** Tables of a FastAPI service by SQLAlchemy. Times without a zone are what `datetime.utcnow()` leaves behind. */
const tables = `
create table public.users (id varchar primary key, created_at timestamp without time zone not null);
create table public.calls (
  id uuid primary key, caller_id varchar not null references users (id), room_name varchar not null,
  started_at timestamp without time zone not null, ended_at timestamp without time zone);
create table public.sessions (
  id uuid primary key, call_id uuid not null references calls (id), user_id varchar not null references users (id),
  joined_at timestamp without time zone, left_at timestamp without time zone);
create table public.alembic_version (version_num varchar(32) primary key);
insert into alembic_version values ('3f1c2a');
insert into users values ('user_a', '2025-01-01 08:00:00'), ('user_b', '2025-01-02 08:00:00.123456'), (' odd', '2025-01-02 09:00:00');`;

const call = (number: number) => `11111111-1111-4111-8111-11111111111${number}`;
const session = (number: number) => `22222222-2222-4222-8222-22222222222${number}`;

/** One that went well, one with clocks that disagree, one still active, one whose caller's id no request can name. */
const rows = `
insert into calls values
  ('${call(1)}', 'user_a', 'call_${call(1)}', '2025-03-01 10:00:00.123456', '2025-03-01 10:30:00.5'),
  ('${call(2)}', 'user_b', 'call_${call(2)}', '2025-03-02 10:00:00', '2025-03-02 09:59:59'),
  ('${call(3)}', 'user_a', 'call_${call(3)}', '2025-03-03 10:00:00', null),
  ('${call(4)}', ' odd', 'call_${call(4)}', '2025-03-04 10:00:00', '2025-03-04 11:00:00');
insert into sessions values
  ('${session(1)}', '${call(1)}', 'user_a', '2025-03-01 10:00:01', null),
  ('${session(2)}', '${call(1)}', 'user_b', '2025-03-01 10:05:00', '2025-03-01 10:20:00.999'),
  ('${session(3)}', '${call(1)}', ' odd', '2025-03-01 10:05:00', '2025-03-01 10:20:00'),
  ('${session(4)}', '${call(2)}', 'user_b', '2025-03-02 10:00:05', '2025-03-02 09:59:58'),
  ('${session(5)}', '${call(3)}', 'user_a', '2025-03-03 10:00:00', null);`;

/** Stands for the database of the old service: not the one of the service that the page's reader sees. */
export async function makeOldDatabase(world: World): Promise<void> {
  const database = await createDatabase('postgresql');
  await database.execute(tables + rows);
  await world.terminal.run(`export DATABASE_URL='${database.url.replace('postgresql:', 'postgresql+asyncpg:')}'`);
  world.memory.oldDatabase = database;
}

/** What the copied calls look like by the API, for whom, and that a second copy changes nothing. */
export async function readCopiedCalls(world: World): Promise<void> {
  const database = world.memory.oldDatabase!;
  const service = await Service.start(database, { DATABASE_SCHEMA: 'call_service', MIGRATE_ON_START: 'false' });
  const api = new Api(service.port);
  try {
    const first = (await api.call(call(1))).body;
    expect(first).toMatchObject({
      caller_id: 'user_a',
      room_name: `call_${call(1)}`,
      status: 'ended',
      started_at: '2025-03-01T10:00:00.123Z',
      ended_at: '2025-03-01T10:30:00.500Z',
      end_reason: 'ended',
      ended_by: null,
      participant_count: 0,
      room_deletion: null,
    });
    const stays = first.sessions.map(({ session_id, user_id, joined_at, left_at, end_reason }) => ({ session_id, user_id, joined_at, left_at, end_reason }));
    expect(stays).toEqual([
      { session_id: session(1), user_id: 'user_a', joined_at: '2025-03-01T10:00:01.000Z', left_at: first.ended_at, end_reason: 'call_ended' },
      { session_id: session(2), user_id: 'user_b', joined_at: '2025-03-01T10:05:00.000Z', left_at: '2025-03-01T10:20:00.999Z', end_reason: 'left' },
    ]);
    const timeline = (await api.get(`/calls/${call(1)}/timeline`)).body.data as { seq: number; type: string; cause: string; occurred_at: string }[];
    expect(timeline.map(({ seq, type, cause }) => `${seq} ${type} ${cause}`)).toEqual([
      '1 call.started import',
      '2 session.created import',
      '3 session.joined import',
      '4 session.created import',
      '5 session.joined import',
      '6 session.left import',
      '7 call.ended import',
      '8 session.left import',
    ]);
    expect(timeline[6]!.occurred_at).toBe(first.ended_at);

    const bent = (await api.call(call(2))).body;
    expect(bent).toMatchObject({ started_at: '2025-03-02T10:00:00.000Z', ended_at: '2025-03-02T10:00:00.000Z' });
    for (const left_out of [call(3), call(4)]) expect((await api.call(left_out)).status).toBe(404);
    expect((await api.get('/calls')).body.data.map(({ call_id }: { call_id: string }) => call_id)).toEqual([call(2), call(1)]);
    expect((await api.get('/users/user_b')).body.created_at).toBe('2025-01-02T08:00:00.123Z');

    for (const [user, status] of [['user_a', 200], ['user_b', 200], ['user_c', 403]] as const) {
      expect((await api.call(call(1), { as: userToken(user) })).status, user).toBe(status);
    }
    expect((await api.get('/calls', { as: userToken('user_b') })).body.data).toHaveLength(2);
    expect((await api.join(call(1), 'user_b')).body).toMatchObject({ code: 'call_ended' });
    expect((await api.end(call(1))).body).toMatchObject({ ended_at: first.ended_at, end_reason: 'ended' });

    await expectCopiesStay(world);
    expect((await api.call(call(1))).body).toEqual(first);
  } finally {
    api.close();
    await service.stop();
    await database.remove();
  }
}

/** The call that was active ends: the next copy brings it, and only it. */
async function expectCopiesStay(world: World): Promise<void> {
  const database = world.memory.oldDatabase!;
  const copy = () => world.terminal.run('psql "${DATABASE_URL/+asyncpg/}" -v ON_ERROR_STOP=1 -f docs/how-to/import-ended-calls.sql');
  expect(await copy()).toMatch(/calls copied +\| +0\n[^]*already +\| +2\n/);
  await database.execute(`update public.calls set ended_at = '2025-03-03 12:00:00' where id = '${call(3)}'`);
  expect(await copy()).toMatch(/calls copied +\| +1\n sessions copied +\| +1\n/);
  await database.execute(`alter role postgres in database ${new URL(database.url).pathname.slice(1)} set search_path = call_service`);
  await expectInvariants(database);
}
