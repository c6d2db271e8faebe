import { afterAll, expect, it } from 'vitest';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { outboxIsEmpty, startIn } from '../support/outbox.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionOf, deliverAll, events, roomOf } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

onEachDatabase('the room of an ended call that comes back', (kind) => {
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url }));
  const ended = async () => {
    const call = await startIn(served, livekit);
    await served.api.end(call.call_id);
    await until(async () => (await served.api.call(call.call_id)).body.room_deletion === 'done');
    return call;
  };

  it('is deleted once, however many events tell of it', async () => {
    const call = await ended();
    const room = roomOf(call.call_id);
    livekit.rooms.set(call.room_name, []);
    const told = ['ada', 'bob', 'eve'].map((user) => events.joined(room, connectionOf(user)));
    await deliverAll(served.api, [events.started(room)]);
    await until(() => !livekit.rooms.has(call.room_name));
    await until(async () => (await served.api.call(call.call_id)).body.room_deletion === 'done');
    const late = events.started(room, Date.now() - 2_000);
    expect(await deliverAll(served.api, [...told, late])).toEqual(['applied', 'applied', 'applied', 'applied']);
    await outboxIsEmpty(served, 8_000);
    expect((await served.api.call(call.call_id)).body.room_deletion).toBe('done');
    expect(livekit.callsOf('DeleteRoom', call.room_name)).toHaveLength(2);
  });

  it('is deleted again when somebody enters it after that', async () => {
    const call = await ended();
    const room = roomOf(call.call_id);
    for (const event of [() => events.started(room), () => events.joined(room, connectionOf('ada')), () => events.started(room)]) {
      livekit.rooms.set(call.room_name, []);
      await deliverAll(served.api, [event()]);
      await until(() => !livekit.rooms.has(call.room_name), { timeout: 5_000 });
      await until(async () => (await served.api.call(call.call_id)).body.room_deletion === 'done');
    }
    expect(livekit.callsOf('DeleteRoom', call.room_name)).toHaveLength(4);
  });

  it('is deleted also when somebody who left it is told of first', async () => {
    const call = await ended();
    const room = roomOf(call.call_id);
    livekit.rooms.set(call.room_name, []);
    await deliverAll(served.api, [events.left(room, connectionOf('ada')), events.joined(room, connectionOf('bob'))]);
    await until(() => !livekit.rooms.has(call.room_name), { timeout: 5_000 });
  });

  it('again and again is deleted again and again, but LiveKit is not worn out', async () => {
    const call = await ended();
    const before = livekit.calls.length;
    const since = Date.now();
    let returns = 0;
    await until(
      async () => {
        livekit.rooms.set(call.room_name, []);
        const room = roomOf(call.call_id);
        await deliverAll(served.api, [events.started(room), events.joined(room, connectionOf('ada'))]);
        returns += 1;
        return Date.now() - since > 5_000;
      },
      { interval: 10, what: 'five seconds of an eager client' },
    );
    expect(returns).toBeGreaterThan(20);
    const deletions = livekit.callsOf('DeleteRoom', call.room_name).length - 1;
    expect(deletions).toBeGreaterThanOrEqual(3);
    expect(deletions).toBeLessThanOrEqual(8);
    expect(livekit.calls.length - before).toBeLessThan(20);
    await until(() => !livekit.rooms.has(call.room_name), { timeout: 8_000 });
    await outboxIsEmpty(served, 8_000);
    expect((await served.api.call(call.call_id)).body).toMatchObject({ status: 'ended', room_deletion: 'done' });
  });
});
