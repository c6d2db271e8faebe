import { afterAll, describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase, databaseKinds, type DatabaseKind } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { expectInvariants } from '../support/invariants.ts';
import { Service, type Environment } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

/** By so much the clock of a process that is gone was ahead. */
const ahead = (seconds = 120): string => `'${new Date(Date.now() + seconds * 1000).toISOString().replace('Z', '000Z')}'`;
const nobody = `'01a21afc-0000-7000-8000-000000000000'`;
/** Whoever waited for the wrong time would be two minutes late. */
const soon = 20_000;

interface World {
  service: Service;
  api: Api;
  execute: (sql: string) => Promise<void>;
}

/** `leaves`: what the process did before it was killed; `returns`: what another one makes of it. */
async function play(kind: DatabaseKind, changes: Environment, leaves: (world: World) => Promise<string>, returns: (world: World, call: string) => Promise<void>): Promise<void> {
  const database = await createDatabase(kind);
  const service = await Service.start(database, { LIVEKIT_URL: livekit.url, ...changes });
  const world = { service, api: new Api(service.port), execute: (sql: string) => database.execute(sql) };
  const call = await leaves(world);
  world.api.close();
  livekit.clearFaults();
  await service.restart();
  world.api = new Api(service.port);
  await returns(world, call);
  world.api.close();
  await service.stop();
  await expectInvariants(database);
  await database.remove();
}

describe.each(databaseKinds)('what was written by a clock that was ahead (%s)', { timeout: 90_000 }, (kind) => {
  it.each<[string, () => string]>([
    ['is due', () => `due_at = ${ahead()}`],
    ['was refused some times', () => `due_at = ${ahead()}, attempts = 3`],
    ['is leased to a process that is gone', () => `lease_owner = ${nobody}, lease_until = ${ahead(125)}`],
  ])('an intent that %s is carried out soon', async (_, change) => {
    await play(
      kind,
      {},
      async ({ service, api, execute }) => {
        const call = (await api.startCall({ caller_id: 'ada' })).body;
        livekit.rooms.set(call.room_name, []);
        livekit.failRequests('hang');
        expect((await api.end(call.call_id)).body.room_deletion).toBe('pending');
        await service.kill();
        await execute(`update outbox set ${change()}`);
        return call.call_id;
      },
      async ({ api }, call) => {
        await until(async () => (await api.call(call)).body.room_deletion === 'done', { timeout: soon, what: 'the room is deleted' });
      },
    );
  });

  it('the room of an ended call that comes back is deleted soon', async () => {
    await play(
      kind,
      {},
      async ({ service, api, execute }) => {
        const call = (await api.startCall({ caller_id: 'ada' })).body;
        await api.end(call.call_id);
        await until(async () => (await api.call(call.call_id)).body.room_deletion === 'done', { what: 'the room is deleted' });
        await service.kill();
        await execute(`update timeline set at = ${ahead()} where type = 'room.deleted'`);
        livekit.rooms.set(call.room_name, []);
        return call.call_id;
      },
      async ({ api }, call) => {
        expect(await deliverAll(api, [events.started(roomOf(call))])).toEqual(['applied']);
        await until(() => !livekit.rooms.has(`call_${call}`), { timeout: soon, what: 'the room is deleted again' });
      },
    );
  });

  it('a token does not keep a call open when its room has finished', async () => {
    await play(
      kind,
      { RECONCILE_INTERVAL_SECONDS: '1' },
      async ({ service, api, execute }) => {
        const call = (await api.startCall({ caller_id: 'ada' })).body;
        const room = roomOf(call.call_id);
        const ada = connectionFor(call, 'ada');
        await deliverAll(api, [events.started(room), events.joined(room, ada), events.left(room, ada)]);
        await api.join(call.call_id, 'bob');
        await deliverAll(api, [events.finished(room)]);
        await service.kill();
        await execute(`update calls set token_issued_at = ${ahead(86_400)}, closes_at = ${ahead(86_460)}`);
        return call.call_id;
      },
      async ({ api }, call) => {
        await until(async () => (await api.call(call)).body.end_reason === 'room_finished', { timeout: soon, what: 'the call ends' });
      },
    );
  });

  it('a room that is still to be created is created soon', async () => {
    await play(
      kind,
      { LIVEKIT_ROOM_CREATION: 'on_start' },
      async ({ service, api, execute }) => {
        livekit.failRequests('hang', { method: 'CreateRoom' });
        const call = (await api.startCall({ caller_id: 'ada' })).body;
        await service.kill();
        await execute(`update room_creations set due_at = ${ahead()}, lease_owner = ${nobody}, lease_until = ${ahead(125)}`);
        return call.call_id;
      },
      async (_, call) => {
        await until(() => livekit.rooms.has(`call_${call}`), { timeout: soon, what: 'the room is created' });
      },
    );
  });
});

it('a lease of a replica that is gone and whose clock was ahead is taken over soon', { timeout: 90_000 }, async () => {
  await play(
    'postgresql',
    { RECONCILE_INTERVAL_SECONDS: '1' },
    async ({ service, execute }) => {
      await until(() => service.logs.some(({ event }) => event === 'lease_taken'), { what: 'the lease is taken' });
      await service.kill();
      await execute(`update leases set owner = ${nobody}, until = ${ahead(125)}`);
      return String(service.logs.length);
    },
    async ({ service }, before) => {
      await until(() => service.logs.slice(Number(before)).some(({ event }) => event === 'lease_taken'), { timeout: soon, what: 'the lease is taken over' });
    },
  );
});
