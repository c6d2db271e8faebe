import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase, databaseKinds, type Database, type DatabaseKind } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { expectInvariants } from '../support/invariants.ts';
import { Service } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

const day = 86_400_000;

/** An end is written once, so a test that makes a call old has to step aside of the trigger. */
async function makeOlder(database: Database, ids: string[], days: number): Promise<void> {
  const list = ids.map((id) => `'${id}'`).join(',');
  const back = (column: string): string =>
    database.kind === 'sqlite'
      ? `${column} = strftime('%Y-%m-%dT%H:%M:%fZ', ${column}, '-${days} days')`
      : `${column} = ${column} - interval '${days} days'`;
  const [off, on] =
    database.kind === 'sqlite'
      ? ['drop trigger if exists calls_ended_once;', '']
      : ['alter table calls disable trigger calls_ended_once;', 'alter table calls enable trigger calls_ended_once;'];
  await database.execute(`${off}
    update sessions set ${['created_at', 'joined_at', 'left_at'].map(back).join(', ')} where call_id in (${list});
    update calls set ${back('started_at')}, ${back('ended_at')} where call_id in (${list}); ${on}`);
}

const count = async (database: Database, table: string): Promise<number> =>
  (await database.query<{ n: number }>(`select count(*) as n from ${table}`))[0]!.n;

interface Stage {
  database: Database;
  service: Service;
  api: () => Api;
}

async function onStage(kind: DatabaseKind, play: (stage: Stage) => Promise<void>): Promise<void> {
  const database = await createDatabase(kind);
  const service = await Service.start(database, { LIVEKIT_URL: livekit.url });
  const stage = { database, service, api: () => new Api(service.port) };
  try {
    await play(stage);
    await service.stop();
    await expectInvariants(database);
  } finally {
    await service.kill();
    await database.remove();
  }
}

describe.each(databaseKinds)('CALL_RETENTION_DAYS (%s)', (kind) => {
  it('erases old ended calls with all that belongs to them, and users without any other', async () => {
    await onStage(kind, async ({ database, service, api }) => {
      const first = api();
      const start = async (body: Record<string, unknown>) => (await first.startCall(body)).body;
      const old = await start({ caller_id: 'only-old', user_ids: ['listed', 'keeper'] });
      const room = roomOf(old.call_id);
      await first.join(old.call_id, 'joined');
      await deliverAll(first, [events.started(room), events.joined(room, connectionFor(old, 'only-old'))]);
      const young = await start({ caller_id: 'keeper' });
      const running = await start({ caller_id: 'runner', user_ids: ['only-listed'] });
      await first.end(old.call_id, { user_id: 'only-moderator' });
      await first.end(young.call_id, { user_id: 'keeper' });
      for (const call of [old, young]) await until(async () => (await first.call(call.call_id)).body.room_deletion === 'done');
      first.close();
      await service.stop();
      await makeOlder(database, [old.call_id, running.call_id], 31);
      await makeOlder(database, [young.call_id], 29);
      await service.restart({ CALL_RETENTION_DAYS: '30' });
      const api2 = api();
      await until(async () => (await api2.call(old.call_id)).status === 404, { what: 'the old call is erased' });
      for (const table of ['sessions', 'timeline', 'webhook_events', 'call_users', 'call_members']) {
        expect(await database.query(`select call_id from ${table} where call_id = '${old.call_id}'`), table).toEqual([]);
      }
      const users = (await database.query<{ user_id: string }>('select user_id from users order by user_id')).map(({ user_id }) => user_id);
      expect(users).toEqual(['keeper', 'only-listed', 'runner']);
      expect((await api2.call(young.call_id)).body.status).toBe('ended');
      expect((await api2.call(running.call_id)).body.status).toBe('active');
      expect((await api2.get('/users/only-old')).status).toBe(404);
      // Its id is free again, and its events are news of an unknown call.
      expect(await deliverAll(api2, [events.finished(room)])).toEqual(['ignored']);
      expect((await api2.startCall({ caller_id: 'only-old', call_id: old.call_id })).status).toBe(201);
      api2.close();
    });
  });

  it('keeps a call whose room is still to be deleted, until it is', async () => {
    await onStage(kind, async ({ database, service, api }) => {
      const first = api();
      livekit.behaviour = 'unavailable';
      const call = (await first.startCall({ caller_id: 'ada' })).body;
      await first.end(call.call_id);
      const other = (await first.startCall({ caller_id: 'bob' })).body;
      await deliverAll(first, [events.finished(roomOf(other.call_id))]);
      first.close();
      await service.stop();
      await makeOlder(database, [call.call_id, other.call_id], 3);
      await service.restart({ CALL_RETENTION_DAYS: '2' });
      const api2 = api();
      await until(async () => (await api2.call(other.call_id)).status === 404);
      expect((await api2.call(call.call_id)).body.room_deletion).toBe('pending');
      livekit.behaviour = 'normal';
      await until(async () => (await api2.call(call.call_id)).body.room_deletion === 'done', { timeout: 15_000 });
      api2.close();
      await service.stop();
      await service.restart({ CALL_RETENTION_DAYS: '2' });
      const api3 = api();
      await until(async () => (await api3.call(call.call_id)).status === 404);
      api3.close();
    });
  });

  it('erases nothing by default', async () => {
    await onStage(kind, async ({ database, service, api }) => {
      const first = api();
      const call = (await first.startCall({ caller_id: 'ada' })).body;
      await deliverAll(first, [events.finished(roomOf(call.call_id))]);
      first.close();
      await service.stop();
      await makeOlder(database, [call.call_id], 4_000);
      await service.restart();
      const api2 = api();
      const fence = (await api2.startCall({ caller_id: 'bob' })).body;
      livekit.rooms.set(fence.room_name, []);
      await api2.end(fence.call_id);
      await until(async () => (await api2.call(fence.call_id)).body.room_deletion === 'done');
      expect((await api2.call(call.call_id)).status).toBe(200);
      api2.close();
    });
  });

  it('erases thousands in steps, while calls are started and ended beside it', { timeout: 90_000 }, async () => {
    await onStage(kind, async ({ database, service, api }) => {
      await service.stop();
      const at = new Date(Date.now() - 10 * day).toISOString();
      const rows = Array.from({ length: 3_000 }, (_, index) => ({ id: randomUUID(), user: `user${index % 700}` }));
      const everybody = [...new Set(rows.map(({ user }) => user))];
      await database.execute(`insert into users (user_id, created_at) values ${everybody.map((user) => `('${user}', '${at}')`).join(',')}`);
      for (let from = 0; from < rows.length; from += 500) {
        const values = (row: (one: { id: string; user: string }) => string): string => rows.slice(from, from + 500).map(row).join(',');
        await database.execute(`insert into calls (call_id, caller_id, status, started_at, ended_at, end_reason)
          values ${values(({ id, user }) => `('${id}', '${user}', 'ended', '${at}', '${at}', 'room_finished')`)}`);
        await database.execute(`insert into timeline (call_id, seq, at, type, cause)
          values ${values(({ id }) => `('${id}', 1, '${at}', 'call.started', 'api'), ('${id}', 2, '${at}', 'call.ended', 'webhook')`)}`);
      }
      await service.restart({ CALL_RETENTION_DAYS: '9' });
      const second = kind === 'postgresql' ? await Service.start(database, { LIVEKIT_URL: livekit.url, CALL_RETENTION_DAYS: '9' }) : undefined;
      const apis = [api(), ...(second ? [new Api(second.port)] : [])];
      const users = Array.from({ length: 20 }, (_, index) => `user${index * 7}`);
      let slowest = 0;
      while ((await count(database, 'calls')) > 0) {
        const calls = await Promise.all(
          users.map(async (user, index) => {
            const began = performance.now();
            const answer = await apis[index % apis.length]!.startCall({ caller_id: user });
            slowest = Math.max(slowest, performance.now() - began);
            return answer;
          }),
        );
        expect(calls.map(({ status }) => status)).toEqual(users.map(() => 201));
        await Promise.all(calls.map(({ body }, index) => deliverAll(apis[index % apis.length]!, [events.finished(roomOf(body.call_id))])));
        const left = await database.query(`select call_id from calls where ended_at < '${new Date(Date.now() - 9 * day).toISOString()}'`);
        if (left.length === 0) break;
      }
      console.log(`${kind}: the slowest start beside retention took ${slowest.toFixed(0)} ms`);
      await until(async () => (await count(database, 'users')) <= users.length, { what: 'users without calls are erased' });
      expect(await database.query(`select user_id from users where user_id not in (select caller_id from calls)`)).toEqual([]);
      for (const one of apis) one.close();
      await second?.stop();
      const fails = service.logs.concat(second?.logs ?? []).filter((line) => line.event === 'retention_waits_for_database');
      expect(fails).toEqual([]);
    });
  });
});

describe('a user who is erased while a call is being started', () => {
  it('is made anew, and the start succeeds', async () => {
    await onStage('postgresql', async ({ database, api }) => {
      const first = api();
      const call = (await first.startCall({ caller_id: 'ada' })).body;
      // The first time it runs, the user goes between the check for the user and the call; a sequence survives the rollback.
      await database.execute(`
        delete from calls where call_id = '${call.call_id}';
        create sequence once;
        create function erase_user() returns trigger language plpgsql as $$ begin
          if nextval('once') = 1 then delete from users where user_id = new.caller_id; end if;
          return new;
        end $$;
        create trigger erase_user before insert on calls for each row execute function erase_user();`);
      expect((await first.startCall({ caller_id: 'ada' })).status).toBe(201);
      expect((await database.query<{ last_value: number }>('select last_value from once'))[0]!.last_value).toBe(2);
      first.close();
    });
  });
});
