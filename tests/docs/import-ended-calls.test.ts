import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase } from '../support/database.ts';
import { check } from '../support/process.ts';
import { Service } from '../support/service.ts';
import { repository } from './world.ts';

const script = join(repository, 'docs/how-to/import-ended-calls.sql');
const call = '33333333-3333-4333-8333-333333333333';

/** Other names and types than those of the page's own test; a zone that is not UTC. */
const tables = `
create schema fastapi;
create table fastapi.users (user_id text primary key);
create table fastapi.calls (call_id varchar(36) primary key, caller_id text, created_at timestamptz, ended_at timestamptz, end_reason text);
create table fastapi.sessions (session_id varchar(36) primary key, call_id varchar(36), user_id text, created_at timestamptz, ended_at timestamptz,
  disconnect_reason text);
insert into fastapi.calls values
  ('${call.toUpperCase()}', 'ann', '2025-07-01 12:00:00+02', '2025-07-01 13:00:00+02', 'ROOM_CLOSED'), ('not-a-uuid', 'ann', now(), now(), null);
insert into fastapi.sessions values
  ('${call.replace('3', '4')}', '${call.toUpperCase()}', 'ben', '2025-07-01 12:10:00+02', '2025-07-01 12:20:00+02', 'kicked'),
  ('${call.replace('3', '5')}', '${call.toUpperCase()}', 'ben', '2025-07-01 12:30:00+02', '2025-07-01 14:00:00+02', 'something else');`;

it('takes other names and types of columns, maps reasons, and tells what it left out', async () => {
  const database = await createDatabase('postgresql');
  await database.execute(tables);
  const service = await Service.start(database);
  const api = new Api(service.port);
  const env = { ...process.env, PGTZ: 'America/New_York' };
  const report = await check('psql', [database.url, '-X', '-v', 'ON_ERROR_STOP=1', '-v', 'old=fastapi', '-v', 'new=public', '-f', script], { env });
  expect(report).toMatch(/would not accept +\| +1\n/);
  const { status, body } = await api.call(call);
  expect(status).toBe(200);
  expect(body).toMatchObject({ started_at: '2025-07-01T10:00:00.000Z', ended_at: '2025-07-01T11:00:00.000Z', end_reason: 'room_finished' });
  expect(body.sessions.map(({ end_reason, created_at, joined_at, left_at }) => [end_reason, created_at, joined_at, left_at])).toEqual([
    ['removed', '2025-07-01T10:10:00.000Z', null, '2025-07-01T10:20:00.000Z'],
    ['call_ended', '2025-07-01T10:30:00.000Z', null, '2025-07-01T11:00:00.000Z'],
  ]);
  api.close();
  await service.stop();
  await database.remove();
});

it('copies nothing at all if one part of it fails', async () => {
  const database = await createDatabase('postgresql');
  await database.execute(tables);
  await database.execute('alter table fastapi.sessions rename to other_sessions');
  const service = await Service.start(database);
  const failed = check('psql', [database.url, '-X', '-v', 'ON_ERROR_STOP=1', '-v', 'old=fastapi', '-v', 'new=public', '-f', script]);
  await expect(failed).rejects.toThrow('fastapi.sessions');
  expect(await database.query('select * from calls')).toEqual([]);
  await service.stop();
  await database.remove();
});
