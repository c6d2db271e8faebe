import { afterAll, beforeEach, expect, it } from 'vitest';
import { Api, type Call } from '../support/api.ts';
import { createDatabase } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { Link } from '../support/link.ts';
import { outboxIsEmpty, startIn } from '../support/outbox.ts';
import { ComparedCall } from '../support/reconciling.ts';
import { Service } from '../support/service.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, connectionOf, deliverAll, events } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
const link = await Link.start(() => [livekit.port]);
const linked = `ws://127.0.0.1:${link.port}`;
afterAll(() => livekit.stop());
beforeEach(() => livekit.clearFaults());

onEachDatabase('a LiveKit that cannot do one thing', (kind) => {
  const served = serve(kind, () => ({ LIVEKIT_URL: linked }));

  const deletionIsDone = ({ call_id }: Call, timeout: number) =>
    until(async () => (await served.api.call(call_id)).body.room_deletion === 'done', { timeout, what: 'room_deletion is done' });

  // More than are tried at once, each of a node that died: LiveKit itself is there.
  it.each(['unavailable', 'hang'])('is not away; it is asked for that more and more rarely, and for the rest at once: %s', { timeout: 60_000 }, async (fault) => {
    const outages = () => served.service.logs.filter(({ event }) => event === 'livekit_unreachable').length;
    const before = outages();
    const dead: Call[] = [];
    for (let index = 0; index < 40; index += 1) dead.push(await startIn(served, livekit));
    for (const { room_name } of dead) livekit.failRequests(fault, { method: 'DeleteRoom', room: room_name });
    await Promise.all(dead.map(({ call_id }) => served.api.end(call_id)));
    const tries = () => livekit.callsOf('DeleteRoom', dead[0]!.room_name).map(({ at }) => at);
    await until(() => tries().length >= 1, { what: 'LiveKit is asked' });
    const call = await startIn(served, livekit);
    await served.api.end(call.call_id);
    await deletionIsDone(call, 10_000);
    await until(() => tries().length >= 3, { timeout: 30_000, what: 'LiveKit is asked again' });
    const [first, second, third] = tries();
    expect(second! - first!).toBeGreaterThan(350);
    expect(third! - second!).toBeGreaterThan(700);
    expect(outages()).toBe(before);
    livekit.clearFaults();
    await outboxIsEmpty(served, 40_000);
  });

  // More than are tried at once, and each tried before.
  it('is asked for what is new, however much else it does not answer', { timeout: 60_000 }, async () => {
    await livekit.stop();
    const dead: Call[] = [];
    for (let index = 0; index < 100; index += 1) {
      const call = await startIn(served, livekit);
      livekit.failRequests('hang', { method: 'DeleteRoom', room: call.room_name });
      await served.api.end(call.call_id);
      dead.push(call);
    }
    await served.database.execute('update outbox set attempts = 1');
    const call = await startIn(served, livekit);
    await livekit.listen();
    const isDead = new Set(dead.map(({ room_name }) => room_name));
    const asked = () => livekit.calls.filter(({ method }) => method === 'DeleteRoom').map(({ body }) => body.room as string);
    await until(() => asked().filter((room) => isDead.has(room)).length >= 24, { timeout: 15_000, what: 'LiveKit is asked again for what failed' });
    await served.api.end(call.call_id);
    await deletionIsDone(call, 15_000);
    // Not only when one of the others has been given up.
    const rooms = asked();
    expect(rooms.slice(0, rooms.indexOf(call.room_name)).filter((room) => isDead.has(room)).length).toBeLessThan(32);
    livekit.clearFaults();
    await outboxIsEmpty(served, 40_000);
  });

  it('puts nobody out who came back while the answer to a removal was lost', async () => {
    const call = await ComparedCall.start(served, livekit);
    const bob = await call.enter('bob');
    livekit.failRequests('lose_answer', { method: 'RemoveParticipant', room: call.call.room_name, times: 1 });
    await served.api.leave(call.id, 'bob');
    await until(() => livekit.rooms.get(call.call.room_name)?.length === 0, { what: 'bob is removed' });

    const again = connectionFor((await served.api.join(call.id, 'bob')).body, 'bob');
    call.connect(again);
    await deliverAll(served.api, [events.left(call.room, bob), events.joined(call.room, again)]);
    link.become('cut');
    link.become('pass');
    await outboxIsEmpty(served, 15_000);
    expect(livekit.rooms.get(call.call.room_name)?.map(({ sid }) => sid)).toEqual([again.sid]);
    expect(livekit.callsOf('RemoveParticipant', call.call.room_name)).toHaveLength(1);
  });
});

onEachDatabase('a LiveKit that is away', (kind) => {
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url }));
  const heard = (event: string, since: number) => served.service.logs.find((line) => line.event === event && Date.parse(String(line.time)) >= since);

  it.each(['hang', 'unavailable'] as const)('is noticed at once, and no intent is tried more rarely for it: %s', { timeout: 60_000 }, async (behaviour) => {
    const calls = [];
    for (let index = 0; index < 5; index += 1) calls.push((await served.api.startCall({ caller_id: 'ada' })).body);
    livekit.behaviour = behaviour;
    const since = Date.now();
    await Promise.all(calls.map((call) => served.api.end(call.call_id)));
    const line = await until(() => heard('livekit_unreachable', since), { timeout: 15_000, what: 'the outage is noticed' });
    expect(Date.parse(String(line.time)) - since).toBeLessThan(behaviour === 'hang' ? 6_500 : 1_500);
    await until(async () => (await served.database.query('select 1 as n from outbox where lease_owner is not null')).length === 0, { what: 'all are given back' });
    expect(await served.database.query('select distinct attempts from outbox')).toEqual([{ attempts: 0 }]);
    livekit.behaviour = 'normal';
    await until(() => heard('livekit_reachable', since), { timeout: 5_000, what: 'LiveKit is reached again' });
    await outboxIsEmpty(served, 5_000);
  });
});

onEachDatabase('a LiveKit that refuses the service', (kind) => {
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url }));

  it('is told once, and every intent is due when it does not any more', { timeout: 60_000 }, async () => {
    const told = (event: string) => served.service.logs.filter((line) => line.event === event).length;
    const call = (await served.api.startCall({ caller_id: 'ada' })).body;
    livekit.behaviour = 'unauthorized';
    await served.api.end(call.call_id);
    const asked = livekit.calls.length;
    await until(() => livekit.calls.length >= asked + 5, { timeout: 15_000, what: 'LiveKit is asked again and again' });
    expect(told('livekit_refuses_us')).toBe(1);
    expect(told('livekit_unreachable')).toBe(0);
    expect(await served.database.query('select attempts from outbox')).toEqual([{ attempts: 0 }]);
    expect((await served.api.get('/ready')).body.checks.livekit.status).toBe('ok');
    livekit.behaviour = 'normal';
    await outboxIsEmpty(served, 5_000);
    await until(() => told('livekit_accepts_us') === 1, { what: 'that it accepts the key is told' });
  });
});

it('a replica whose key LiveKit refuses leaves all work to the other', { timeout: 60_000 }, async () => {
  const database = await createDatabase('postgresql');
  const environment = { LIVEKIT_URL: livekit.url, RECONCILE_INTERVAL_SECONDS: '1' };
  const refused = await Service.start(database, { ...environment, LIVEKIT_API_SECRET: 'the-secret-before-it-was-rotated-0123456789' });
  await until(() => refused.logs.some(({ event }) => event === 'livekit_refuses_us'), { what: 'its key is refused' });
  const service = await Service.start(database, environment);
  const apis = [new Api(refused.port), new Api(service.port)];
  const calls = await Promise.all(Array.from({ length: 10 }, () => ComparedCall.start({ database, service, api: apis[1]! }, livekit)));
  for (const call of calls) call.connect(connectionFor(call.call, 'ada'));
  for (const call of calls) await call.sessionOf('ada', { status: 'active' });
  await Promise.all(calls.map(({ id }) => apis[0]!.end(id)));
  await outboxIsEmpty({ database, service, api: apis[1]! }, 5_000);
  const worked = refused.logs.filter(({ event }) => event === 'intent_refused' || event === 'intent_done' || event === 'lease_taken');
  expect(worked).toEqual([]);
  for (const api of apis) api.close();
  for (const each of [refused, service]) await each.stop();
  await database.remove();
});

onEachDatabase('a LiveKit that asks the node of a room who is in it', (kind) => {
  const served = serve(kind, () => ({
    LIVEKIT_URL: livekit.url,
    RECONCILE_INTERVAL_SECONDS: '1',
    ROOM_DEPARTURE_TIMEOUT_SECONDS: '1',
    CALL_NEVER_JOINED_TIMEOUT_SECONDS: '60',
  }));
  /** Answers `unavailable` where no node has the room: so `api.enable_psrpc_for_get_list_participants` does. */
  const close = ({ call }: ComparedCall) => {
    livekit.rooms.delete(call.room_name);
    for (const method of ['ListParticipants', 'GetParticipant', 'RemoveParticipant']) livekit.failRequests('unavailable', { method, room: call.room_name });
  };

  it('says by that that nobody is where there is no room', { timeout: 60_000 }, async () => {
    const entered = await Promise.all(Array.from({ length: 4 }, () => ComparedCall.start(served, livekit)));
    const waiting = await Promise.all(Array.from({ length: 4 }, () => ComparedCall.start(served, livekit)));
    for (const call of entered) await call.enter('bob');
    await entered[0]!.looks(1);
    for (const call of [...entered, ...waiting]) close(call);
    const past = `'${new Date(Date.now() - 121_000).toISOString()}'`;
    await served.database.execute(`update sessions set token_expires_at = ${past} where status = 'pending'`);
    await served.database.execute(`update calls set token_issued_at = ${past}, started_at = ${past} where ended_at is null`);
    for (const call of entered) await call.sessionOf('bob', { status: 'ended', end_reason: 'reconciled' }, 20_000);
    for (const call of waiting) await until(async () => (await call.read()).end_reason === 'never_joined', { timeout: 20_000, what: 'the call nobody entered is over' });
    expect(served.service.logs.filter(({ event }) => event === 'livekit_unreachable')).toEqual([]);
  });

  it('says nothing by that where there is one, and others are looked at all the same', { timeout: 60_000 }, async () => {
    const unknown = await Promise.all(Array.from({ length: 20 }, () => ComparedCall.start(served, livekit)));
    for (const call of unknown) await call.enter('bob');
    for (const { call } of unknown) livekit.failRequests('unavailable', { method: 'ListParticipants', room: call.room_name });
    const known = await ComparedCall.start(served, livekit);
    known.connect(connectionOf('carol'));
    await known.sessionOf('carol', { status: 'active' });
    await unknown[0]!.looks(3);
    for (const call of unknown) expect(await call.session('bob')).toMatchObject({ status: 'active' });
  });

  it('needs no removal from a room that has closed', async () => {
    const call = await ComparedCall.start(served, livekit);
    await call.enter('bob');
    close(call);
    await served.api.leave(call.id, 'bob');
    await outboxIsEmpty(served, 5_000);
    expect(livekit.callsOf('RemoveParticipant', call.call.room_name)).toEqual([]);
  });
});

onEachDatabase('connections to LiveKit that are lost without a word', (kind) => {
  const served = serve(kind, () => ({ LIVEKIT_URL: linked, RECONCILE_INTERVAL_SECONDS: '5' }));

  it('delay nothing by more than ten seconds', { timeout: 60_000 }, async () => {
    const calls = await Promise.all(Array.from({ length: 20 }, () => ComparedCall.start(served, livekit)));
    const connections = [];
    for (const call of calls) connections.push(await call.enter('ada'));
    const [gone, over] = calls as [ComparedCall, ComparedCall];
    // Right after the second look of a comparison: its connections are kept, and the next is as far away as that lets it.
    const late = await Promise.all(Array.from({ length: 6 }, () => ComparedCall.start(served, livekit)));
    for (const call of late) call.connect(connectionFor(call.call, 'ada'));
    for (const call of late) await call.sessionOf('ada', { status: 'active' });
    link.lose();
    const since = Date.now();
    gone.vanish(connections[0]!);
    await served.api.end(over.id);
    await until(async () => (await over.read()).room_deletion === 'done', { timeout: 15_000, what: 'the room is deleted' });
    await gone.sessionOf('ada', { status: 'ended' }, 15_000);
    expect(Date.now() - since).toBeLessThan(10_000);
  });
});
