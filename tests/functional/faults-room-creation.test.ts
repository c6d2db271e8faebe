import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Api, type StartedCall } from '../support/api.ts';
import { createDatabase, databaseKinds, type Database } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { expectInvariants } from '../support/invariants.ts';
import { nowSeconds } from '../support/jwt.ts';
import { Service, type Environment } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

const onStart = { LIVEKIT_ROOM_CREATION: 'on_start', ROOM_DEPARTURE_TIMEOUT_SECONDS: '33', CALL_NEVER_JOINED_TIMEOUT_SECONDS: '100', LIVEKIT_TOKEN_TTL_SECONDS: '200' };

describe.each(databaseKinds)('LIVEKIT_ROOM_CREATION (%s)', (kind) => {
  let livekit: FakeLiveKit;
  let database: Database;
  let service: Service;
  let api: Api;
  const apis: Api[] = [];

  beforeEach(async () => {
    livekit = await FakeLiveKit.start();
    database = await createDatabase(kind);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(service.output.split('\n').slice(-60).join('\n'));
    for (const one of apis.splice(0)) one.close();
    try {
      await service.stop();
      await expectInvariants(database);
    } finally {
      await livekit.stop();
      await database.remove();
    }
  });

  const serve = async (changes: Environment = {}): Promise<void> => {
    service = await Service.start(database, { LIVEKIT_URL: livekit.url, ...onStart, ...changes });
    connect();
  };
  const connect = (): void => {
    api = new Api(service.port);
    apis.push(api);
  };
  const start = async (body: Record<string, unknown> = {}): Promise<StartedCall> => {
    const answer = await api.startCall({ caller_id: 'ada', ...body });
    expect(answer.status, answer.text).toBe(201);
    return answer.body;
  };
  const creations = (call: { room_name: string }) => livekit.calls.filter(({ method, body }) => method === 'CreateRoom' && body.name === call.room_name);
  const nothingIsLeft = (): Promise<unknown> =>
    until(async () => (await database.query('select call_id from room_creations')).length === 0, { what: 'no room is still to be created' });
  const reachable = (): Promise<unknown> => until(() => service.logs.some((line) => line.event === 'room_creation' && line.livekit_reachable === true));

  it('on_start: the room is there when start and join answer, made like the token would make it', async () => {
    await serve();
    await reachable();
    const call = await start({ max_participants: 7 });
    expect(call.room_ready).toBe(true);
    expect(livekit.rooms.has(call.room_name)).toBe(true);
    expect(creations(call)[0]!.body).toEqual({ name: call.room_name, emptyTimeout: 100 + 200 + 60, departureTimeout: 33, maxParticipants: 7 });
    livekit.rooms.delete(call.room_name);
    const joined = (await api.join(call.call_id, 'bob')).body;
    expect(joined.room_ready).toBe(true);
    expect(livekit.rooms.has(call.room_name)).toBe(true);
    const claims = JSON.parse(Buffer.from(joined.livekit_token.split('.')[1]!, 'base64url').toString());
    expect(claims.exp).toBeGreaterThan(nowSeconds());
    expect(claims.video.roomCreate).toBeUndefined();
    expect(claims.roomConfig).toMatchObject({ emptyTimeout: 360, departureTimeout: 33, maxParticipants: 7 });
    expect((await start({ call_id: '0f8fad5b-d9cb-469f-a165-70867728950e' })).room_ready).toBe(true);
    await nothingIsLeft();
  });

  it('on_join, the default: nothing is created and nothing is said of it', async () => {
    await serve({ LIVEKIT_ROOM_CREATION: undefined });
    const call = await start();
    const { body } = await api.join(call.call_id, 'bob');
    expect([call, body].map((answer) => 'room_ready' in answer)).toEqual([false, false]);
    livekit.rooms.set(call.room_name, []);
    await api.end(call.call_id);
    await until(async () => (await api.call(call.call_id)).body.room_deletion === 'done');
    expect(livekit.count('CreateRoom')).toBe(0);
    expect(await database.query('select call_id from room_creations')).toEqual([]);
  });

  it.each(['unavailable', 'hang', 'internal_error'] as const)('answers all the same when LiveKit is %s, and creation goes on', async (behaviour) => {
    await serve();
    await reachable();
    livekit.behaviour = behaviour;
    const before = performance.now();
    const [call, again] = await Promise.all([start(), start()]);
    const took = performance.now() - before;
    expect(took).toBeGreaterThan(1_900);
    expect(took).toBeLessThan(4_000);
    for (const one of [call, again]) {
      expect(one.room_ready).toBe(false);
      expect(one.livekit_token).toMatch(/^ey/);
      expect((await database.query(`select call_id from room_creations where call_id = '${one.call_id}'`)).length).toBe(1);
    }
    expect(creations(call).length).toBeLessThanOrEqual(4);
    await api.end(again.call_id);
    livekit.behaviour = 'normal';
    await until(() => livekit.rooms.has(call.room_name), { timeout: 15_000, what: 'the room is created' });
    expect((await api.join(call.call_id, 'bob')).body.room_ready).toBe(true);
    await until(async () => (await api.call(again.call_id)).body.room_deletion === 'done', { timeout: 15_000 });
    await nothingIsLeft();
    await until(() => !livekit.rooms.has(again.room_name));
  });

  it('a start waits through a short absence of LiveKit', async () => {
    await serve();
    await reachable();
    await livekit.stop();
    const starting = start();
    await until(async () => (await database.query('select call_id from room_creations')).length === 1);
    await livekit.listen();
    expect((await starting).room_ready).toBe(true);
  });

  it('never leaves a room to a call that has ended while LiveKit took its time', async () => {
    await serve();
    await reachable();
    livekit.delays.set('CreateRoom', 1_500);
    const call_id = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';
    const room = `call_${call_id}`;
    const starting = start({ call_id });
    await until(() => livekit.count('CreateRoom') === 1);
    expect((await api.end(call_id)).status).toBe(200);
    // The deletion is done before LiveKit comes to create the room.
    await until(async () => (await api.call(call_id)).body.room_deletion === 'done');
    expect(livekit.rooms.has(room)).toBe(false);
    await starting;
    await until(() => livekit.callsOf('DeleteRoom', room).length === 2, { what: 'the room is deleted after it was created' });
    await until(() => !livekit.rooms.has(room));
    await until(async () => (await api.call(call_id)).body.room_deletion === 'done');
    await nothingIsLeft();
    const timeline = (await api.get(`/calls/${call_id}/timeline`)).body.data.map(({ type }: { type: string }) => type);
    expect(timeline.slice(-2)).toEqual(['room.deletion_requested', 'room.deleted']);
  });

  it('the same when the process dies in between, and for a call that ended while LiveKit was away', async () => {
    await serve();
    await reachable();
    livekit.delays.set('CreateRoom', 800);
    const call_id = '1b4e28ba-2fa1-41d2-883f-0016d3cca428';
    const room = `call_${call_id}`;
    const starting = start({ call_id }).catch(() => undefined);
    await until(() => livekit.count('CreateRoom') === 1);
    await api.end(call_id);
    await until(async () => (await api.call(call_id)).body.room_deletion === 'done');
    await service.kill();
    await starting;
    await until(() => livekit.rooms.has(room), { what: 'the request that nobody waits for any more creates the room' });
    livekit.delays.clear();
    await service.restart();
    connect();
    await until(() => !livekit.rooms.has(room), { timeout: 15_000, what: 'the room is deleted' });
    await nothingIsLeft();
    livekit.behaviour = 'unavailable';
    await until(() => service.logs.some((line) => line.event === 'livekit_unreachable' || line.event === 'room_creation'));
    const call = await start();
    await api.end(call.call_id);
    await service.kill();
    livekit.behaviour = 'normal';
    const before = creations(call).length;
    await service.restart();
    connect();
    await nothingIsLeft();
    await until(async () => (await api.call(call.call_id)).body.room_deletion === 'done', { timeout: 15_000 });
    expect(creations(call).length).toBe(before);
    expect(livekit.rooms.has(call.room_name)).toBe(false);
  });

  it('what could not be created is created after a power cut', async () => {
    await livekit.stop();
    await serve();
    const call = await start();
    expect(call.room_ready).toBe(false);
    await service.kill();
    await livekit.listen();
    await service.restart();
    connect();
    await until(() => livekit.rooms.has(call.room_name), { timeout: 15_000 });
    await nothingIsLeft();
  });

  it('rooms that LiveKit lost are made again as soon as it is back, but for calls that are over', async () => {
    await serve();
    await reachable();
    const open = await Promise.all(Array.from({ length: 40 }, () => start()));
    const [entered, over, left] = [await start(), await start(), await start()];
    const connection = connectionFor(entered, 'ada');
    const room = roomOf(entered.call_id);
    await deliverAll(api, [events.started(room), events.joined(room, connection)]);
    await api.end(over.call_id);
    await api.leave(left.call_id, 'ada');
    await until(async () => (await api.call(over.call_id)).body.room_deletion === 'done');
    await livekit.stop();
    livekit.restartEmpty();
    await until(() => service.logs.filter((line) => line.event === 'room_creation').at(-1)?.livekit_reachable === false);
    await livekit.listen();
    const back = Date.now();
    await until(() => [...open, entered].every(({ room_name }) => livekit.rooms.has(room_name)), { interval: 5, timeout: 5_000, what: 'all rooms are back' });
    console.log(`${kind}: ${open.length + 1} rooms were back ${Date.now() - back} ms after LiveKit`);
    expect(Date.now() - back).toBeLessThan(2_000);
    // Who was in a room finds back soon or not at all; who has a token may take as long as before.
    expect(creations(entered).at(-1)!.body.emptyTimeout).toBe(60);
    expect(creations(open[0]!).at(-1)!.body.emptyTimeout).toBe(360);
    expect(livekit.rooms.has(over.room_name)).toBe(false);
    expect(livekit.rooms.has(left.room_name)).toBe(false);
    await nothingIsLeft();
  });

  it('a room that finishes while somebody is on the way is made again for them', async () => {
    await serve();
    await reachable();
    const call = await start();
    const room = roomOf(call.call_id);
    const connection = connectionFor(call, 'ada');
    await deliverAll(api, [events.started(room), events.joined(room, connection), events.left(room, connection)]);
    await until(() => Date.now() > connection.joinedAt + 50);
    await api.join(call.call_id, 'bob');
    livekit.rooms.delete(call.room_name);
    const before = creations(call).length;
    await deliverAll(api, [events.finished(room)]);
    await until(() => livekit.rooms.has(call.room_name), { timeout: 2_000 });
    expect(creations(call).length).toBe(before + 1);
    expect(creations(call).at(-1)!.body.emptyTimeout).toBe(60);
    expect((await api.call(call.call_id)).body.status).toBe('active');
  });

  if (kind === 'postgresql') it('two replicas: one creates, the other ends, and no room is left', async () => {
    await serve();
    await reachable();
    const second = await Service.start(database, { LIVEKIT_URL: livekit.url, ...onStart });
    const other = new Api(second.port);
    apis.push(other);
    livekit.delays.set('CreateRoom', 400);
    const calls = Array.from({ length: 10 }, (_, index) => `1b4e28ba-2fa1-41d2-883f-0016d3cca${500 + index}`);
    const starting = Promise.all(calls.map((call_id) => start({ call_id })));
    await until(() => livekit.count('CreateRoom') >= calls.length);
    await Promise.all(calls.map((call_id) => other.end(call_id)));
    await starting;
    await until(() => calls.every((call_id) => livekit.callsOf('DeleteRoom', `call_${call_id}`).length >= 2));
    await nothingIsLeft();
    await until(() => calls.every((call_id) => !livekit.rooms.has(`call_${call_id}`)));
    await second.stop();
  });
});
